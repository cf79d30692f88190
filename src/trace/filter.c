/* SPDX-License-Identifier: MIT */
/* Checks that a filter uses only what connections or processes have. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include "base/array.h"
#include "trace/trace.h"

#define FIELD(member)                                                             \
	{                                                                         \
		offsetof(struct view, member), sizeof(((struct view *)0)->member) \
	}
/* Owners first: processes have nothing else. */
static const struct field {
	size_t off, len;
} fields[] = {
	FIELD(cgroup), FIELD(pid),   FIELD(comm),  FIELD(netns),    FIELD(ifindex), FIELD(type),
	FIELD(proto),  FIELD(sport), FIELD(dport), FIELD(family),   FIELD(addrs),   FIELD(ports),
	FIELD(dir),    FIELD(src),   FIELD(dst),   FIELD(fragment),
};
#undef FIELD
enum { ALL = ARRAY_LEN(fields), OWNERS = 3 };

static bool is_known(uint16_t field, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (field >= fields[i].off && field < fields[i].off + fields[i].len)
			return true;
	return false;
}

static const char *describe_unsupported(const struct filter_node *n, size_t nfields)
{
	switch (n->op) {
	case FILTER_FIELD:
	case FILTER_LOAD:
		return is_known(n->field, nfields) ? NULL : "packet headers";
	case FILTER_SET:
		return "a set";
	case FILTER_BYTE:
		return "packet bytes";
	case FILTER_DNS:
	case FILTER_SNI:
		return "packet contents";
	case FILTER_INNER:
		return "tunnels";
	default:
		return NULL;
	}
}

static int check_fields(const struct filter *f, size_t nfields, const char *have, struct diag *why)
{
	for (size_t i = 0; i < f->n; i++) {
		const char *what = describe_unsupported(&f->nodes[i], nfields);

		if (!what)
			continue;
		snprintf(why->msg, sizeof(why->msg), "uses %s: %s", what, have);
		return -EINVAL;
	}
	return 0;
}

int trace_filter_check(const struct filter *f, struct diag *why)
{
	return check_fields(
		f, ALL, "connections only have addresses, ports, interfaces and processes", why);
}

int trace_filter_check_owners(const struct filter *f, struct diag *why)
{
	return check_fields(f, OWNERS, "processes only have pid, comm, cgroup and container", why);
}
