/* SPDX-License-Identifier: MIT */
/* Names out of the running kernel's types. */
#ifndef TRACE_NAMES_H
#define TRACE_NAMES_H

#include "sys/btf.h"
#include "trace/trace.h"

/* The enumerators of an enum without their common prefix; none if there is no such type. To be
 * freed with buf_free(&names->text). */
void trace_names_open(struct trace_names *names, const struct btf *types, const char *type,
		      const char *prefix);

#endif
