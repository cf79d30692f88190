/* SPDX-License-Identifier: MIT */
/* Names from the running kernel's types. */
#ifndef TRACE_NAMES_H
#define TRACE_NAMES_H

#include "sys/btf.h"
#include "trace/trace.h"

/* Stores the enumerators of an enum without their common prefix; none if the kernel lacks the type.
 * Free with buf_free(&names->text). */
void trace_load_names(struct trace_names *names, const struct btf *types, const char *type,
		      const char *prefix);

#endif
