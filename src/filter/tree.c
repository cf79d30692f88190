/* SPDX-License-Identifier: MIT */
/* The nodes of a filter's tree. */
#include "filter/tree.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"

struct tree_mark tree_mark(const struct parser *p)
{
	return (struct tree_mark){ p->in, p->out.n, p->out.needs, p->depth };
}

void tree_return(struct parser *p, const struct tree_mark *mark)
{
	p->in = mark->in;
	p->out.n = mark->n;
	p->out.needs = mark->needs;
	p->depth = mark->depth;
}

uint32_t tree_add(struct parser *p, struct filter_node node)
{
	struct filter_node *at = array_grow(p->out.nodes, p->out.n, &p->out.room, sizeof(*at));

	if (!at || p->out.n >= TREE_NODES_MAX) {
		p->out.nodes = at ? at : p->out.nodes;
		p->nomem = true;
		return 0;
	}
	p->out.nodes = at;
	at[p->out.n] = node;
	return (uint32_t)p->out.n++;
}

uint32_t tree_const(struct parser *p, bool value)
{
	return tree_add(p, (struct filter_node){ .op = value ? FILTER_TRUE : FILTER_FALSE });
}

uint32_t tree_not(struct parser *p, uint32_t a)
{
	return tree_add(p, (struct filter_node){ .op = FILTER_NOT, .a = a });
}

uint32_t tree_and(struct parser *p, uint32_t a, uint32_t b)
{
	return tree_add(p, (struct filter_node){ .op = FILTER_AND, .a = a, .b = b });
}

uint32_t tree_or(struct parser *p, uint32_t a, uint32_t b)
{
	return tree_add(p, (struct filter_node){ .op = FILTER_OR, .a = a, .b = b });
}

static uint64_t all_bits(size_t size)
{
	return size == 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;
}

uint32_t tree_cmp(struct parser *p, size_t field, size_t size, enum filter_cmp cmp, uint64_t value)
{
	return tree_add(p, (struct filter_node){ .op = FILTER_FIELD,
						 .cmp = cmp,
						 .size = (uint8_t)size,
						 .field = (uint16_t)field,
						 .mask = all_bits(size),
						 .value = value });
}

uint32_t tree_cmp_masked(struct parser *p, size_t field, size_t size, uint64_t mask, uint64_t value)
{
	uint32_t node = tree_cmp(p, field, size, FILTER_EQ, value & mask);

	if (!p->nomem)
		p->out.nodes[node].mask = mask;
	return node;
}

/* Fields are loaded in host byte order, so the bytes to compare with are, too. */
static uint64_t load_bytes(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;
	uint16_t value2;
	uint32_t value4;

	if (size == 8)
		memcpy(&value, bytes, 8);
	else if (size == 4)
		value = (memcpy(&value4, bytes, 4), value4);
	else if (size == 2)
		value = (memcpy(&value2, bytes, 2), value2);
	else
		value = *bytes;
	return value;
}

uint32_t tree_bytes(struct parser *p, size_t field, const uint8_t *bytes, const uint8_t *mask,
		    size_t len)
{
	uint32_t all = 0;
	bool any = false;

	for (size_t i = 0, size; i < len; i += size) {
		uint64_t bits;
		uint32_t part;

		/* Aligned pieces: some verifiers refuse unaligned loads. */
		for (size = 8; size > len - i || (field + i) % size; size /= 2)
			;
		bits = mask ? load_bytes(mask + i, size) : all_bits(size);
		if (!bits)
			continue;
		part = tree_cmp_masked(p, field + i, size, bits, load_bytes(bytes + i, size));
		all = any ? tree_and(p, all, part) : part;
		any = true;
	}
	return any ? all : tree_const(p, true);
}

uint32_t tree_src_dst(struct parser *p, enum qual_dir dir, uint32_t src, uint32_t dst)
{
	switch (dir) {
	case DIR_SRC:
		return src;
	case DIR_DST:
		return dst;
	case DIR_BOTH:
		return tree_and(p, src, dst);
	default:
		return tree_or(p, src, dst);
	}
}

int tree_fail(struct parser *p, const struct token *t, const char *fmt, ...)
{
	va_list ap;

	p->diag->pos = t->pos;
	va_start(ap, fmt);
	vsnprintf(p->diag->msg, sizeof(p->diag->msg), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int tree_fail_expected(struct parser *p, const struct token *t, const char *what)
{
	if (t->kind == TOKEN_END)
		return tree_fail(p, t, "missing %s", what);
	return tree_fail(p, t, "expected %s, not '%.*s'", what, (int)t->len, t->text);
}

int tree_fail_lookup(struct parser *p, const struct token *t, const char *what, const char *name)
{
	if (!*p->diag->msg)
		return tree_fail(p, t, "no %s %s", what, name);
	p->diag->pos = t->pos;
	return -EINVAL;
}

int tree_enter_nesting(struct parser *p, const struct token *t)
{
	if (++p->depth > TREE_DEPTH_MAX)
		return tree_fail(p, t, "nested more than %d levels deep", TREE_DEPTH_MAX);
	return 0;
}

void filter_close(struct filter *f)
{
	for (size_t i = 0; i < f->nsets; i++)
		set_close(&f->sets[i]);
	free(f->sets);
	free(f->names);
	free(f->nodes);
	*f = (struct filter){ 0 };
}
