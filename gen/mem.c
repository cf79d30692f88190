// SPDX-License-Identifier: MIT
/* Errors and memory while an object is read: one message, and one heap that is freed at once. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gen/read.h"

struct gen_chunk {
	struct gen_chunk *prev;
	_Alignas(max_align_t) uint8_t bytes[];
};

static void append_args(struct diag *d, const char *fmt, va_list args)
{
	size_t len = strlen(d->msg);

	vsnprintf(d->msg + len, sizeof(d->msg) - len, fmt, args);
}

__attribute__((format(printf, 2, 3))) static void append_msg(struct diag *d, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	append_args(d, fmt, args);
	va_end(args);
}

int gen_fail(struct reader *r, const char *sec, const char *sym, const char *fmt, ...)
{
	struct diag *d = r->d;
	va_list args;

	if (d->msg[0])
		return -EINVAL;
	if (sec)
		append_msg(d, "section %s: ", sec);
	if (sym)
		append_msg(d, "symbol %s: ", sym);
	va_start(args, fmt);
	append_args(d, fmt, args);
	va_end(args);
	for (char *p = d->msg; *p; p++)
		if (!isprint((unsigned char)*p))
			*p = '?';
	return -EINVAL;
}

void *gen_alloc(struct reader *r, size_t n, size_t size)
{
	struct gen_mem *mem = &r->out->mem;
	struct gen_chunk *c = NULL;
	size_t bytes;

	if (!__builtin_mul_overflow(n, size, &bytes) && bytes <= MEM_MAX &&
	    mem->used <= MEM_MAX - bytes)
		c = calloc(1, sizeof(*c) + bytes);
	if (!c) {
		gen_fail(r, NULL, NULL, "needs too much memory");
		return NULL;
	}
	c->prev = mem->last;
	mem->last = c;
	mem->used += bytes + sizeof(*c);
	return c->bytes;
}

char *gen_strndup(struct reader *r, const char *s, size_t len)
{
	char *copy = gen_alloc(r, len + 1, 1);

	if (copy)
		memcpy(copy, s, len);
	return copy;
}

char *gen_strdup(struct reader *r, const char *s)
{
	return gen_strndup(r, s, strlen(s));
}

void gen_mem_close(struct gen_mem *mem)
{
	while (mem->last) {
		struct gen_chunk *c = mem->last;

		mem->last = c->prev;
		free(c);
	}
}

bool gen_is_ident(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	return !*s;
}

static int fold_label_char(char c)
{
	return isalnum((unsigned char)c) ? toupper((unsigned char)c) : '_';
}

bool gen_same_label(const char *a, const char *b)
{
	while (*a && *b && fold_label_char(*a) == fold_label_char(*b)) {
		a++;
		b++;
	}
	return !*a && !*b;
}
