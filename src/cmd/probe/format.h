/* SPDX-License-Identifier: MIT */
/* Formats values and stacks of probes for lines, tables and JSON. */
#ifndef CMD_PROBE_FORMAT_H
#define CMD_PROBE_FORMAT_H

#include "cmd/probe/show.h"

/* Appends a value and, if it is an error, the error's name: 78, -11 (EAGAIN), 0xffff8881. */
void probe_fmt_value(const struct target_value *v, uint64_t value, bool colors, struct buf *out);
/* Appends a value without an error's name. */
void probe_fmt_number(const struct target_value *v, uint64_t value, struct buf *out);
/* Returns the name of the error that a value stands for; NULL: none. */
const char *probe_fmt_error(const struct target_value *v, uint64_t value);

/* A value in JSON. number is COL_S64_UNKNOWN if a signed 64-bit integer cannot represent it; text
 * is "" unless the value is a pointer or has no number. */
struct probe_json_value {
	int64_t number;
	char text[24];
};
struct probe_json_value probe_fmt_json(const struct target_value *v, uint64_t value);

/* Appends the functions of a kernel stack, innermost first, each between prefix and suffix. */
void probe_fmt_stack(struct probe_show *s, int32_t stack, const char *prefix, const char *suffix,
		     struct buf *out);
/* The stack of a process. caller: return address of the innermost function, which is not yet on the
 * stack; 0: it is. */
struct probe_user_stack {
	uint64_t caller;
	uint32_t pid;
	int32_t id;
};
void probe_fmt_user(struct probe_show *s, const struct probe_user_stack *stack, const char *prefix,
		    const char *suffix, struct buf *out);

/* Make lists for JSON from stacks. The lists point into text, which is emptied first, and frames.
 * They are unknown if the hit has no stack. */
enum { PROBE_FMT_FRAMES = PROBE_FRAMES + 1 };
struct col_list probe_fmt_stack_list(struct probe_show *s, int32_t stack, struct buf *text,
				     const char *frames[PROBE_FMT_FRAMES]);
struct col_list probe_fmt_user_list(struct probe_show *s, const struct probe_user_stack *stack,
				    struct buf *text, const char *frames[PROBE_FMT_FRAMES]);

#endif
