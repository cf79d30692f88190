/* SPDX-License-Identifier: MIT */
/* The conditions become nodes of the filter's tree: no text of the user's is put together. */
#include "filter/restrict.h"
#include <errno.h>
#include "filter/tree.h"

static void add_condition(struct parser *p, uint32_t condition)
{
	p->out.root = tree_and(p, condition, p->out.root);
}

static uint32_t add_ifaces(struct parser *p, const struct filter_restriction *r)
{
	uint32_t any = tree_cmp(p, FIELD(ifindex), FILTER_EQ, r->ifindexes[0]);

	for (size_t i = 1; i < r->nifaces; i++)
		any = tree_or(p, any, tree_cmp(p, FIELD(ifindex), FILTER_EQ, r->ifindexes[i]));
	return any;
}

int filter_restrict(struct filter *f, const struct filter_restriction *r)
{
	struct parser p = { .out = *f };

	if (!r->nifaces && !r->netns && !r->pid)
		return 0;
	/* an empty filter matches everything; node 0 of any other is FILTER_FALSE */
	if (!p.out.nodes) {
		tree_const(&p, false);
		p.out.root = tree_const(&p, true);
	}
	if (r->nifaces)
		add_condition(&p, add_ifaces(&p, r));
	if (r->pid)
		add_condition(&p, tree_cmp(&p, FIELD(pid), FILTER_EQ, r->pid));
	if (r->netns)
		add_condition(&p, tree_cmp(&p, FIELD(netns), FILTER_EQ, r->netns));
	if (r->pid || r->netns)
		p.out.needs |= FILTER_NEED_OWNER;
	*f = p.out;
	return p.nomem ? -ENOMEM : 0;
}
