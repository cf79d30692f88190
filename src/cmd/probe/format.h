/* SPDX-License-Identifier: MIT */
/* Values and stacks of probes in words: what lines, tables and JSON share. */
#ifndef CMD_PROBE_FORMAT_H
#define CMD_PROBE_FORMAT_H

#include "cmd/probe/show.h"

/* Append a value: 78, -11 (EAGAIN), 0xffff8881. */
void probe_fmt_value(const struct target_value *v, uint64_t value, struct buf *out);
/* The same without the error's name. */
void probe_fmt_number(const struct target_value *v, uint64_t value, struct buf *out);
/* The name of the error that a value is; NULL: it is none. */
const char *probe_fmt_error(const struct target_value *v, uint64_t value);
/* Append a stack's functions, each between two texts, innermost first: the kernel's. */
void probe_fmt_stack(struct probe_show *s, int32_t stack, const char *before, const char *behind,
		     struct buf *out);
/* The same of a process; caller: of the innermost, whose frame is not on the stack yet; 0: it is.
 */
void probe_fmt_user(struct probe_show *s, int32_t stack, uint32_t pid, uint64_t caller,
		    const char *before, const char *behind, struct buf *out);

#endif
