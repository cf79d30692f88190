/* SPDX-License-Identifier: MIT */
/* Which questions of the filter language connections can answer: those about ends and owners. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include "trace/trace.h"

#define FIELD(member)                                                             \
	{                                                                         \
		offsetof(struct view, member), sizeof(((struct view *)0)->member) \
	}
/* Owners first: processes have nothing else. */
static const struct known {
	size_t off, len;
} known[] = {
	FIELD(cgroup), FIELD(pid),   FIELD(comm),  FIELD(netns),    FIELD(ifindex), FIELD(type),
	FIELD(proto),  FIELD(sport), FIELD(dport), FIELD(family),   FIELD(addrs),   FIELD(ports),
	FIELD(dir),    FIELD(src),   FIELD(dst),   FIELD(fragment),
};
#undef FIELD
enum { ALL = sizeof(known) / sizeof(*known), OWNERS = 3 };

static bool is_known(uint16_t field, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (field >= known[i].off && field < known[i].off + known[i].len)
			return true;
	return false;
}

static const char *complaint(const struct filter_node *n, size_t fields)
{
	switch (n->op) {
	case FILTER_FIELD:
	case FILTER_LOAD:
		return is_known(n->field, fields) ? NULL : "a part of packets";
	case FILTER_SET:
		return "a set";
	case FILTER_BYTE:
		return "bytes of packets";
	case FILTER_DNS:
	case FILTER_SNI:
		return "what packets carry";
	case FILTER_INNER:
		return "tunnels";
	default:
		return NULL;
	}
}

static int fits(const struct filter *f, size_t fields, const char *have, struct diag *why)
{
	for (size_t i = 0; i < f->n; i++) {
		const char *what = complaint(&f->nodes[i], fields);

		if (!what)
			continue;
		snprintf(why->msg, sizeof(why->msg), "asks about %s: %s", what, have);
		return -EINVAL;
	}
	return 0;
}

int trace_filter_fits(const struct filter *f, struct diag *why)
{
	return fits(f, ALL, "connections have addresses, ports, interfaces, owners", why);
}

int trace_filter_owners(const struct filter *f, struct diag *why)
{
	return fits(f, OWNERS, "processes have pid, comm, cgroup, container", why);
}
