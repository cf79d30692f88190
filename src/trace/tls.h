/* SPDX-License-Identifier: MIT */
/* Finds TLS libraries, both shared ones and those linked into programs. */
#ifndef TRACE_TLS_H
#define TRACE_TLS_H

#include "trace/trace.h"

/* Attaches the loaded programs to every file with the TLS functions: of running processes in any
 * root directory, of the library directories, and given by the user. Returns 0 or -errno: there is
 * none, or a file given by the user has no such function. Reports errors. */
int trace_tls_attach(struct trace *t, const struct obj *o);

#endif
