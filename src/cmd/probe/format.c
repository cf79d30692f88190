/* SPDX-License-Identifier: MIT */
/* Formats values. If the kernel does not describe a value's type, all bits of the register are
 * shown. */
#include "cmd/probe/format.h"
#include <stdio.h>
#include "base/err.h"
#include "base/split.h"
#include "out/color.h"

enum { SMALL = 1 << 16 };

static uint64_t mask_value(const struct target_value *v, uint64_t value)
{
	return v->size && v->size < 8 ? value & ((UINT64_C(1) << 8 * v->size) - 1) : value;
}

static int64_t extend_value(const struct target_value *v, uint64_t value)
{
	int shift = v->size && v->size < 8 ? 64 - 8 * v->size : 0;

	return (int64_t)(value << shift) >> shift;
}

static bool is_pointer(const struct target_value *v)
{
	return v->type == BTF_VALUE_POINTER || v->type == BTF_VALUE_STRING;
}

void probe_fmt_number(const struct target_value *v, uint64_t value, struct buf *out)
{
	uint64_t word = mask_value(v, value);

	if (v->type == BTF_VALUE_SIGNED)
		buf_printf(out, "%lld", (long long)extend_value(v, value));
	else if ((is_pointer(v) && word) || (v->size == 8 && word >= SMALL && !*v->name))
		buf_printf(out, "0x%llx", (unsigned long long)word);
	else
		buf_u64(out, word);
}

/* Returns a negative error number; 0: the value is no error. Pointers may be errors, too
 * (linux/err.h of the kernel). */
static int64_t error_number(const struct target_value *v, uint64_t value)
{
	int64_t n = extend_value(v, value);

	if (v->errors == PROBE_INT_ERRORS && value >> 12 == 0xfffff)
		n = (int32_t)value;
	return v->errors && n < 0 && n >= -PROBE_ERROR_LAST ? n : 0;
}

const char *probe_fmt_error(const struct target_value *v, uint64_t value)
{
	int64_t n = error_number(v, value);

	return n ? err_name((int)n) : NULL;
}

void probe_fmt_value(const struct target_value *v, uint64_t value, bool colors, struct buf *out)
{
	const char *error = probe_fmt_error(v, value);

	if (error && colors)
		color_start(out, COLOR_BAD);
	probe_fmt_number(v, value, out);
	if (error)
		buf_printf(out, " (%s)", error);
	else if (v->type == BTF_VALUE_UNSIGNED && v->size == 8 && value >> 12 == 0xfffff)
		buf_printf(out, " (%d)", (int32_t)value); /* perhaps an int: half a register */
	if (error && colors)
		color_end(out);
}

/* Returns the most likely number; COL_S64_UNKNOWN: too large. */
static int64_t json_number(const struct target_value *v, uint64_t value)
{
	uint64_t word = mask_value(v, value);
	int64_t error = error_number(v, value);

	if (error)
		return error;
	if (v->type == BTF_VALUE_SIGNED)
		return extend_value(v, value);
	if (word <= INT64_MAX)
		return (int64_t)word;
	/* Without a type, a small negative number is more likely than a large positive one. */
	return !is_pointer(v) && !*v->name && (int64_t)word >= -SMALL ? (int64_t)word
								      : COL_S64_UNKNOWN;
}

struct probe_json_value probe_fmt_json(const struct target_value *v, uint64_t value)
{
	struct probe_json_value json = { .number = json_number(v, value) };

	if (is_pointer(v) || json.number == COL_S64_UNKNOWN)
		snprintf(json.text, sizeof(json.text), "0x%llx",
			 (unsigned long long)mask_value(v, value));
	return json;
}

void probe_fmt_stack(struct probe_show *s, int32_t stack, const char *prefix, const char *suffix,
		     struct buf *out)
{
	uint64_t frames[PROBE_FRAMES];
	uint32_t n = probe_read_stack(s->probe, stack, frames);

	symbols_append_stack(&s->symbols, frames, n, prefix, suffix, out);
}

static void append_user_frame(struct probe_show *s, uint32_t pid, uint64_t addr, const char *prefix,
			      const char *suffix, struct buf *out)
{
	size_t from = out->len;

	buf_str(out, prefix);
	if (users_append_name(&s->users, pid, addr, out))
		buf_str(out, suffix);
	else
		out->len = from;
}

void probe_fmt_user(struct probe_show *s, const struct probe_user_stack *stack, const char *prefix,
		    const char *suffix, struct buf *out)
{
	uint64_t frames[PROBE_FRAMES], caller = stack->caller;
	uint32_t n = probe_read_stack(s->probe, stack->id, frames);

	for (uint32_t i = 0; i < n; i++) {
		append_user_frame(s, stack->pid, frames[i], prefix, suffix, out);
		if (!i && caller && (n == 1 || frames[1] != caller))
			append_user_frame(s, stack->pid, caller, prefix, suffix, out);
	}
}

/* text: the functions, one per line. */
static struct col_list list_lines(struct buf *text, const char *frames[PROBE_FMT_FRAMES])
{
	size_t n;

	if (!text->len)
		return (struct col_list){ 0 };
	buf_char(text, '\0');
	n = text->nomem ? 0 : split_text(text->data, "\n", frames, PROBE_FMT_FRAMES);
	return (struct col_list){ frames, n, 0 };
}

struct col_list probe_fmt_stack_list(struct probe_show *s, int32_t stack, struct buf *text,
				     const char *frames[PROBE_FMT_FRAMES])
{
	buf_clear(text);
	probe_fmt_stack(s, stack, "", "\n", text);
	return list_lines(text, frames);
}

struct col_list probe_fmt_user_list(struct probe_show *s, const struct probe_user_stack *stack,
				    struct buf *text, const char *frames[PROBE_FMT_FRAMES])
{
	buf_clear(text);
	probe_fmt_user(s, stack, "", "\n", text);
	return list_lines(text, frames);
}
