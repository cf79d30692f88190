/* SPDX-License-Identifier: MIT */
/* Where TLS libraries are: shared ones, and those inside programs. */
#ifndef TRACE_TLS_H
#define TRACE_TLS_H

#include "trace/trace.h"

/* Put the loaded programs at the functions of every file that has them: those that a process runs
 * now, in whatever root, those where libraries lie, those that are asked for. 0 or -errno, said:
 * there is none, or one that was asked for has none. */
int trace_tls_attach(struct trace *t, const struct obj *o);

#endif
