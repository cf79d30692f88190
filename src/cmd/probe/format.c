/* SPDX-License-Identifier: MIT */
/* Of a value that the kernel does not describe nobody knows the type: it is a word of bits. */
#include "cmd/probe/format.h"
#include "base/err.h"

enum { SMALL = 1 << 16 };

static uint64_t masked(const struct target_value *v, uint64_t value)
{
	return v->size && v->size < 8 ? value & ((UINT64_C(1) << 8 * v->size) - 1) : value;
}

static int64_t extended(const struct target_value *v, uint64_t value)
{
	int shift = v->size && v->size < 8 ? 64 - 8 * v->size : 0;

	return (int64_t)(value << shift) >> shift;
}

void probe_fmt_number(const struct target_value *v, uint64_t value, struct buf *out)
{
	uint64_t word = masked(v, value);
	bool pointer = v->kind == BTF_VALUE_POINTER || v->kind == BTF_VALUE_STRING;

	if (v->kind == BTF_VALUE_SIGNED)
		buf_printf(out, "%lld", (long long)extended(v, value));
	else if ((pointer && word) || (v->size == 8 && word >= SMALL && !*v->name))
		buf_printf(out, "0x%llx", (unsigned long long)word);
	else
		buf_u64(out, word);
}

/* Pointers, too, may be errors (linux/err.h of the kernel itself). */
const char *probe_fmt_error(const struct target_value *v, uint64_t value)
{
	int64_t n = extended(v, value);

	if (v->errors == PROBE_GUESSED && value >> 12 == 0xfffff)
		n = (int32_t)value;
	return v->errors && n < 0 && n >= -PROBE_ERROR_LAST ? err_name((int)n) : NULL;
}

void probe_fmt_value(const struct target_value *v, uint64_t value, struct buf *out)
{
	const char *error = probe_fmt_error(v, value);

	probe_fmt_number(v, value, out);
	if (error)
		buf_printf(out, " (%s)", error);
	else if (v->kind == BTF_VALUE_UNSIGNED && v->size == 8 && value >> 12 == 0xfffff)
		buf_printf(out, " (%d)", (int32_t)value); /* perhaps an int, which is half a word */
}

void probe_fmt_stack(struct probe_show *s, int32_t stack, const char *before, const char *behind,
		     struct buf *out)
{
	uint64_t frames[PROBE_FRAMES];
	uint32_t n = probe_stack(s->probe, stack, frames);

	symbols_put_stack(&s->symbols, frames, n, before, behind, out);
}

static void put_user(struct probe_show *s, uint32_t pid, uint64_t addr, const char *before,
		     const char *behind, struct buf *out)
{
	size_t from = out->len;

	buf_str(out, before);
	if (users_name(&s->users, pid, addr, out))
		buf_str(out, behind);
	else
		out->len = from;
}

void probe_fmt_user(struct probe_show *s, int32_t stack, uint32_t pid, uint64_t caller,
		    const char *before, const char *behind, struct buf *out)
{
	uint64_t frames[PROBE_FRAMES];
	uint32_t n = probe_stack(s->probe, stack, frames);

	for (uint32_t i = 0; i < n; i++) {
		put_user(s, pid, frames[i], before, behind, out);
		if (!i && caller && (n == 1 || frames[1] != caller))
			put_user(s, pid, caller, before, behind, out);
	}
}
