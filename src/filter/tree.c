/* SPDX-License-Identifier: MIT */
/* The nodes of a filter's tree. */
#include "filter/tree.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/grow.h"

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

uint32_t tree_masked(struct parser *p, size_t field, size_t size, uint64_t mask, uint64_t value)
{
	uint32_t node = tree_cmp(p, field, size, FILTER_EQ, value & mask);

	if (!p->nomem)
		p->out.nodes[node].mask = mask;
	return node;
}

/* A field is loaded in this machine's order, so are the bytes it is compared with. */
static uint64_t load(const uint8_t *bytes, size_t size)
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

		/* Pieces that lie at a multiple of their size, as kernel programs have to read. */
		for (size = 8; size > len - i || (field + i) % size; size /= 2)
			;
		bits = mask ? load(mask + i, size) : all_bits(size);
		if (!bits)
			continue;
		part = tree_masked(p, field + i, size, bits, load(bytes + i, size));
		all = any ? tree_and(p, all, part) : part;
		any = true;
	}
	return any ? all : tree_const(p, true);
}

uint32_t tree_sides(struct parser *p, enum qual_dir dir, uint32_t src, uint32_t dst)
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

int tree_fail_asked(struct parser *p, const struct token *t, const char *what, const char *name)
{
	if (!*p->diag->msg)
		return tree_fail(p, t, "no %s %s", what, name);
	p->diag->pos = t->pos;
	return -EINVAL;
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

static unsigned int group_of(uint16_t field)
{
	static const struct {
		size_t from, to;
		unsigned int group;
	} parts[] = {
		{ offsetof(struct view, sport), offsetof(struct view, family), VIEW_PORTS },
		{ offsetof(struct view, ports), offsetof(struct view, fragment), VIEW_PORTS },
		{ offsetof(struct view, payload), offsetof(struct view, label),
		  VIEW_PAYLOAD | VIEW_PORTS },
		{ offsetof(struct view, dmac), offsetof(struct view, src), VIEW_MACS },
		{ offsetof(struct view, src), offsetof(struct view, reserved), VIEW_ADDRS },
		{ offsetof(struct view, chain), offsetof(struct view, cgroup), VIEW_CHAIN },
		{ offsetof(struct view, cgroup), sizeof(struct view), VIEW_OWNER },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (field >= parts[i].from && field < parts[i].to)
			return parts[i].group;
	return 0;
}

unsigned int filter_groups(const struct filter *f)
{
	unsigned int groups = f->needs & FILTER_NEED_INNER ? VIEW_PORTS : 0;

	for (size_t i = 0; i < f->n; i++)
		switch (f->nodes[i].op) {
		case FILTER_FIELD:
		case FILTER_LOAD:
		case FILTER_BYTE:
		case FILTER_SET:
			groups |= group_of(f->nodes[i].field);
			break;
		case FILTER_DNS:
		case FILTER_SNI:
			groups |= VIEW_PORTS | VIEW_PAYLOAD;
			break;
		}
	return groups;
}

static bool is_light_field(uint16_t field)
{
	switch (field) {
	case offsetof(struct view, len):
	case offsetof(struct view, ifindex):
	case offsetof(struct view, type):
	case offsetof(struct view, proto):
	case offsetof(struct view, family):
	case offsetof(struct view, addrs):
	case offsetof(struct view, dir):
		return true;
	}
	return field >= offsetof(struct view, src) &&
	       field < offsetof(struct view, dst) + sizeof(((struct view *)0)->dst);
}

bool filter_is_addr_only(const struct filter *f)
{
	for (size_t i = 0; i < f->n; i++)
		switch (f->nodes[i].op) {
		case FILTER_FIELD:
		case FILTER_LOAD:
		case FILTER_SET:
			if (!is_light_field(f->nodes[i].field))
				return false;
			break;
		case FILTER_INNER:
		case FILTER_BYTE:
		case FILTER_DNS:
		case FILTER_SNI:
			return false;
		}
	return true;
}
