/* SPDX-License-Identifier: MIT */
/* Finds installed guards again: their gates, tables and counters. */
#include "gate/guard_view.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "sys/iface_follower.h"

static int open_view(struct guard_view *v, struct nl *nl, const struct link *link)
{
	int rc = gate_install_open(&v->install, nl, link, GATE_IN);

	if (!rc && !v->install.conf.guarded)
		rc = -ENOENT;
	else if (!rc)
		rc = guard_table_open(&v->table, &v->install.conf.guard,
				      v->install.map_fd[GATE_MAP_GUARD]);
	if (rc)
		gate_install_close(&v->install);
	return rc;
}

int guard_views_open(struct guard_views *v, const struct opt_list *ifaces)
{
	struct link_list links = { 0 };
	int rc = nl_open(&v->nl, 0);

	if (rc)
		return fail_errno(rc, "opening a route netlink socket");
	rc = iface_list(&v->nl, ifaces, &links);
	v->at = rc ? NULL : calloc(links.n, sizeof(*v->at));
	if (!rc && !v->at)
		rc = fail_errno(-ENOMEM, "finding guards");
	for (size_t i = 0; i < links.n && !rc; i++) {
		rc = open_view(&v->at[v->n], &v->nl, &links.at[i]);
		v->n += !rc;
		/* The table points to the conf in *v, which does not move any more. */
		if (rc == -ENOENT)
			rc = 0;
		else if (rc)
			fail_errno(rc, "%s: opening the guard's table", links.at[i].name);
	}
	link_list_free(&links);
	if (!rc && !v->n)
		rc = fail(-ENOENT, "no guard is installed%s%s (sonde guard start installs one)",
			  ifaces->n ? ": " : "", ifaces->n ? ifaces->at[0] : "");
	if (rc)
		guard_views_close(v);
	return rc;
}

int guard_views_read(struct guard_views *v)
{
	for (size_t i = 0; i < v->n; i++) {
		int rc = guard_sums_read(v->at[i].install.map_fd[GATE_MAP_GUARD_SUMS],
					 &v->at[i].sums);

		guard_table_update_clock(&v->at[i].table);
		if (rc)
			return fail_errno(rc, "%s: reading the guard's counters",
					  v->at[i].install.link.name);
	}
	return 0;
}

void guard_views_close(struct guard_views *v)
{
	for (size_t i = 0; i < v->n; i++) {
		guard_table_close(&v->at[i].table);
		gate_install_close(&v->at[i].install);
	}
	free(v->at);
	nl_close(&v->nl);
	*v = (struct guard_views){ 0 };
}
