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
static const struct {
	size_t off, len;
} known[] = {
	FIELD(ifindex), FIELD(type),  FIELD(proto), FIELD(sport),    FIELD(dport), FIELD(family),
	FIELD(addrs),   FIELD(ports), FIELD(dir),   FIELD(src),      FIELD(dst),   FIELD(cgroup),
	FIELD(pid),     FIELD(netns), FIELD(comm),  FIELD(fragment),
};
#undef FIELD

static bool is_known(uint16_t field)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (field >= known[i].off && field < known[i].off + known[i].len)
			return true;
	return false;
}

static const char *complaint(const struct filter_node *n)
{
	switch (n->op) {
	case FILTER_FIELD:
	case FILTER_LOAD:
		return is_known(n->field) ? NULL : "a part of packets";
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

int trace_filter_fits(const struct filter *f, struct diag *why)
{
	for (size_t i = 0; i < f->n; i++) {
		const char *what = complaint(&f->nodes[i]);

		if (!what)
			continue;
		snprintf(why->msg, sizeof(why->msg),
			 "asks about %s: connections have addresses, ports, interfaces, owners",
			 what);
		return -EINVAL;
	}
	return 0;
}
