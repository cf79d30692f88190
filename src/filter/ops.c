/* SPDX-License-Identifier: MIT */
/* The table of operators, and what their nodes read of a packet. */
#include "base/array.h"
#include "filter/ops.h"
#include <linux/bpf.h>
#include "filter/filter.h"
#include "filter/lex.h"

#define OP_ROW(name, ...) [FILTER_##name] = { __VA_ARGS__ },
const struct filter_op_info filter_ops[FILTER_NOPS] = { FILTER_OPS(OP_ROW) };

static unsigned int field_group(uint16_t field)
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

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (field >= parts[i].from && field < parts[i].to)
			return parts[i].group;
	return 0;
}

unsigned int filter_groups(const struct filter *f)
{
	unsigned int groups = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct filter_op_info *op = &filter_ops[f->nodes[i].op];

		groups |= op->groups;
		if (op->reads_field)
			groups |= field_group(f->nodes[i].field);
	}
	return groups;
}

static bool is_addr_only_field(uint16_t field)
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
	for (size_t i = 0; i < f->n; i++) {
		const struct filter_op_info *op = &filter_ops[f->nodes[i].op];

		if (op->reads_packet || (op->reads_field && !is_addr_only_field(f->nodes[i].field)))
			return false;
	}
	return true;
}
