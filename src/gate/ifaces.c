/* SPDX-License-Identifier: MIT */
/* Following interfaces: any event leads to one look at all of them, so that a lost event costs
 * nothing. */
#include "gate/ifaces.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "gate/install.h"
#include "sys/bpf.h"
#include "sys/wait.h"

static int list_links(struct gate_ifaces *p, struct link_list *links)
{
	int rc = link_list(&p->ask, links);

	return rc ? fail_errno(rc, "listing the interfaces") : 0;
}

static bool is_named(const struct gate_ifaces *p, const char *name)
{
	for (unsigned int i = 0; p->names && i < p->names->n; i++)
		if (!strcmp(p->names->at[i], name))
			return true;
	return false;
}

static bool is_wanted(const struct gate_ifaces *p, const struct link *link)
{
	return p->names ? is_named(p, link->name) : link->up;
}

static struct gate_iface *find_iface(const struct gate_ifaces *p, int ifindex)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (p->at[i]->gate.link.ifindex == ifindex && !p->at[i]->gone)
			return p->at[i];
	return NULL;
}

static struct gate_iface *add_iface(struct gate_ifaces *p)
{
	void *more = realloc(p->at, (p->n + 1) * sizeof(struct gate_iface *));
	struct gate_iface *iface = calloc(1, sizeof(*iface));

	if (more)
		p->at = more;
	if (!more || !iface) {
		free(iface);
		return NULL;
	}
	p->at[p->n++] = iface;
	return iface;
}

static void free_iface(struct gate_ifaces *p, struct gate_iface *iface)
{
	gate_close(&iface->gate, &p->ask);
	gate_counters_free(&iface->last);
	gate_counters_free(&iface->total);
	gate_counters_free(&iface->delta);
	free(iface);
}

static void count_usable(struct gate_ifaces *p)
{
	p->usable = 0;
	for (unsigned int i = 0; i < p->n; i++)
		p->usable += !p->at[i]->gone && !p->at[i]->unusable;
}

int gate_ifaces_open(struct gate_ifaces *p, const struct opt_list *names,
		     const struct gate_opts *opts)
{
	struct gate_ifaces got = { .names = names->n ? names : NULL, .opts = *opts };
	int rc = nl_open(&got.ask, 0);

	if (rc)
		return fail_errno(rc, "route netlink");
	*p = got;
	return 0;
}

/* Where a running sonde counts at XDP, tc serves; so does it, among all interfaces, for one with
 * somebody else's XDP program. */
static int open_gate(struct gate_ifaces *p, struct gate *gate, const struct link *link)
{
	struct gate_opts tc = p->opts;
	int rc = gate_open(gate, &p->ask, link, &p->opts);

	if (rc != -EALREADY && (p->names || (rc != -EBUSY && rc != -EEXIST)))
		return rc;
	note("%s: %scounting incoming packets at tc", link->name,
	     rc == -EALREADY ? "a running sonde has XDP; " : "");
	tc.hooks[GATE_IN] = HOOKS_TC;
	return gate_open(gate, &p->ask, link, &tc);
}

/* No other interface would fare better. */
static bool is_fatal(int rc)
{
	return rc == -EPERM || rc == -EACCES || rc == -ENOSYS || rc == -ENOMEM || rc == -EMFILE ||
	       rc == -ENFILE;
}

/* What another's gate counted before now is not ours to show. */
static void start_from_baseline(struct gate_iface *iface)
{
	gate_counters_free(&iface->last);
	iface->last = iface->gate.baseline;
	iface->gate.baseline = (struct gate_counters){ 0 };
}

static int attach_new(struct gate_ifaces *p, const struct link *link, bool must)
{
	struct gate_iface *iface = add_iface(p);
	int rc;

	if (!iface)
		return fail_errno(-ENOMEM, "%s", link->name);
	rc = open_gate(p, &iface->gate, link);
	if (!rc) {
		start_from_baseline(iface);
		return 0;
	}
	if (must || is_fatal(rc)) {
		free(iface);
		p->n--;
		return rc;
	}
	iface->gate.link = *link;
	iface->unusable = true;
	return 0;
}

/* A gate that rules have put there counts, too: from now on it stays for the counters as well. */
static int join_gate(struct gate_ifaces *p, const struct link *link, enum gate_dir dir,
		     bool *is_new)
{
	struct gate_install install = { 0 };
	int rc = gate_install_open(&install, &p->ask, link, dir);

	*is_new = !rc && !(install.users & GATE_USER_COUNT);
	if (*is_new)
		rc = gate_set_users(&install, install.users | GATE_USER_COUNT);
	gate_install_close(&install);
	return rc;
}

/* The directions (bits) that gates of link serve as is wished, if they are all wished ones or rules
 * have put them there; -EEXIST, said, of something else. */
static int join_gates(struct gate_ifaces *p, const struct link *link, const struct gate *gate)
{
	int wished = 0, same = 0, rc = 0;
	bool any_old = false;

	for (int dir = 0; dir < GATE_DIRS && !rc; dir++) {
		enum hook hook = gate->counters[dir].hook;
		bool is_new = false;

		wished |= (p->opts.hooks[dir] != 0) << dir;
		if (!p->opts.hooks[dir] || !hook)
			continue;
		if (!(p->opts.hooks[dir] & HOOK_BIT(hook)))
			rc = -EEXIST;
		else
			rc = join_gate(p, link, (enum gate_dir)dir, &is_new);
		same |= 1 << dir;
		any_old |= !is_new;
	}
	if (rc == -EEXIST || (!rc && any_old && same != wished))
		return fail(
			-EEXIST,
			"%s: counters are installed in another way: sonde detach -i %s, then again",
			link->name, link->name);
	return rc ? rc : same;
}

/* An installation that does what is wished is left as it is, with its counters; one that does
 * something else is not changed silently, for it may be somebody's decision: -EEXIST. Otherwise the
 * directions that are served already. */
static int join_installed(struct gate_ifaces *p, const struct link *link)
{
	struct gate gate = { 0 };
	int rc;

	if (!p->opts.persistent)
		return 0;
	rc = gate_find(&gate, &p->ask, link);
	if (rc)
		return rc == -ENOENT
			       ? 0
			       : fail_errno(rc, "%s: looking for what is installed", link->name);
	rc = join_gates(p, link, &gate);
	gate_close(&gate, &p->ask);
	if (rc > 0)
		note("%s: installed already; its counters go on", link->name);
	return rc;
}

/* The directions that are not served yet. */
static int attach_unserved(struct gate_ifaces *p, const struct link *link, int served, bool must)
{
	const struct gate_opts all = p->opts;
	bool any = false;
	int rc = 0;

	for (int dir = 0; dir < GATE_DIRS; dir++) {
		if (served & 1 << dir)
			p->opts.hooks[dir] = 0;
		any |= p->opts.hooks[dir] != 0;
	}
	if (any)
		rc = attach_new(p, link, must);
	p->opts = all;
	return rc;
}

/* Attaching to hundreds of interfaces takes a while. */
static int check_stop(void)
{
	return wait_for(0, 0) == WAIT_STOP ? fail(-EINTR, "interrupted") : 0;
}

static int attach_named(struct gate_ifaces *p)
{
	int rc = 0;

	for (unsigned int i = 0; i < p->names->n && rc >= 0; i++) {
		const char *name = p->names->at[i];
		struct link link;

		rc = link_get(&p->ask, name, 0, &link);
		if (rc)
			return fail(rc, rc == -ENODEV ? "no interface %s" : "interface %s", name);
		if (find_iface(p, link.ifindex))
			continue; /* named twice */
		rc = check_stop();
		if (!rc)
			rc = join_installed(p, &link);
		if (rc >= 0)
			rc = attach_unserved(p, &link, rc, true);
	}
	return rc < 0 ? rc : 0;
}

static int attach_up(struct gate_ifaces *p)
{
	struct link_list l = { 0 };
	int rc = list_links(p, &l);

	for (size_t i = 0; i < l.n && rc >= 0; i++) {
		if (!l.at[i].up)
			continue;
		rc = check_stop();
		if (!rc)
			rc = join_installed(p, &l.at[i]);
		if (rc >= 0)
			rc = attach_unserved(p, &l.at[i], rc, false);
	}
	link_list_free(&l);
	return rc < 0 ? rc : 0;
}

static void rollback_installed(struct gate_ifaces *p)
{
	for (unsigned int i = 0; p->opts.persistent && i < p->n; i++)
		for (int dir = 0; dir < GATE_DIRS; dir++)
			attach_undo(&p->at[i]->gate.at[dir], &p->ask);
}

int gate_ifaces_attach(struct gate_ifaces *p)
{
	/* Watch before the first look: nothing that happens between the two is missed. */
	int rc = p->opts.persistent ? 0 : nl_open(&p->watch, RTMGRP_LINK);

	if (rc)
		return fail_errno(rc, "route netlink");
	rc = p->names ? attach_named(p) : attach_up(p);

	count_usable(p);
	if (!rc && !p->usable && p->n)
		rc = fail(-ENODEV, "none of the interfaces can be counted on");
	if (rc)
		rollback_installed(p);
	return rc;
}

int gate_ifaces_prepare(const struct gate_ifaces *p)
{
	unsigned int hooks = p->opts.hooks[GATE_IN] | p->opts.hooks[GATE_OUT];
	int rc;

	if (hooks & HOOKS_XDP && !p->names)
		hooks |= HOOKS_TC; /* where XDP is another's */
	rc = bpf_possible_cpus();  /* found out by a map of its own */
	if (rc < 0)
		return fail_errno(rc, "counting the CPUs");
	rc = attach_prepare(hooks);
	return rc ? fail_errno(rc, "starting the keeper of tc filters") : 0;
}

static int find_installed(struct gate_ifaces *p, const struct link *link)
{
	struct gate_iface *iface;
	struct gate gate;
	int rc = gate_find(&gate, &p->ask, link);

	if (rc == -ENOENT && p->names)
		return fail(rc, "%s: no counters are installed (sonde count -i %s --install)",
			    link->name, link->name);
	if (rc)
		return rc == -ENOENT ? 0 : fail_errno(rc, "%s: looking for counters", link->name);
	iface = add_iface(p);
	if (!iface) {
		gate_close(&gate, &p->ask);
		return fail_errno(-ENOMEM, "%s", link->name);
	}
	iface->gate = gate;
	return 0;
}

int gate_ifaces_find(struct gate_ifaces *p)
{
	struct link_list l = { 0 };
	struct link link;
	int rc = 0;

	for (unsigned int i = 0; p->names && i < p->names->n && !rc; i++) {
		rc = link_get(&p->ask, p->names->at[i], 0, &link);
		if (rc)
			return fail(rc, "no interface %s", p->names->at[i]);
		if (!find_iface(p, link.ifindex))
			rc = find_installed(p, &link);
	}
	if (!p->names)
		rc = list_links(p, &l);
	for (size_t i = 0; i < l.n && !rc; i++)
		rc = find_installed(p, &l.at[i]);
	link_list_free(&l);
	if (!rc && !p->n)
		rc = fail(-ENOENT,
			  "no counters are installed (sonde count --install puts them there)");
	return rc;
}

static int add_delta(struct gate_iface *iface, const struct gate_counters *now)
{
	int rc = 0;

	gate_counters_clear(&iface->delta);
	for (size_t i = 0; i < now->n && !rc; i++) {
		const struct gate_row *baseline = gate_counters_find(&iface->last, &now->rows[i]);
		struct gate_row row = now->rows[i];

		if (baseline) {
			row.packets -= baseline->packets;
			row.bytes -= baseline->bytes;
		}
		if (!row.packets)
			continue;
		rc = gate_counters_add(&iface->delta, &row);
		if (!rc)
			rc = gate_counters_add(&iface->total, &row);
	}
	return rc;
}

static int read_iface(struct gate_iface *iface)
{
	struct gate_counters now = { 0 };
	int rc = gate_read(&iface->gate, &now);

	if (!rc)
		rc = add_delta(iface, &now);
	gate_counters_free(&iface->last);
	iface->last = now;
	return rc;
}

static void drop_dir(struct gate_counters *t, enum gate_dir dir)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].dir != dir)
			t->rows[n++] = t->rows[i];
	t->n = n;
}

/* The installed gate that was read has been taken off; its maps are still ours to read. What passed
 * since is not counted, and that is said. */
static void reattach(struct gate_ifaces *p, struct gate_iface *iface)
{
	note("%s: the gate that was read is gone; attaching another (packets between the two are "
	     "not counted)",
	     iface->gate.link.name);
	read_iface(iface);
	drop_dir(&iface->last, GATE_IN);
	if (gate_attach_own(&iface->gate, &p->ask, &p->opts))
		iface->unusable = true;
	/* What the next one had counted before, if it is somebody's. */
	for (size_t i = 0; i < iface->gate.baseline.n; i++)
		gate_counters_add(&iface->last, &iface->gate.baseline.rows[i]);
	gate_counters_free(&iface->gate.baseline);
}

/* -ENODEV of a gate that is opened now: it vanished again, and its event is on the way. */
static int reconcile(struct gate_ifaces *p, const struct link_list *l)
{
	int rc = 0;

	for (unsigned int i = 0; i < p->n; i++) {
		struct gate_iface *iface = p->at[i];
		size_t j = 0;

		while (j < l->n && l->at[j].ifindex != iface->gate.link.ifindex)
			j++;
		if (j < l->n) {
			iface->gate.link = l->at[j]; /* it may have another name now */
			if (!iface->unusable && !gate_is_live(&iface->gate, &p->ask))
				reattach(p, iface);
			continue;
		}
		if (!iface->gone && !iface->unusable)
			note("%s: the interface is gone", iface->gate.link.name);
		iface->gone = true;
	}
	for (size_t j = 0; j < l->n && !rc; j++)
		if (is_wanted(p, &l->at[j]) && !find_iface(p, l->at[j].ifindex))
			rc = attach_new(p, &l->at[j], false);
	return rc;
}

int gate_ifaces_follow(struct gate_ifaces *p)
{
	struct link_list l = { 0 };
	int rc = nl_skip(&p->watch);

	if (rc && rc != -ENOBUFS)
		return fail_errno(rc, "watching the interfaces");
	rc = list_links(p, &l);
	if (!rc)
		rc = reconcile(p, &l);
	link_list_free(&l);
	count_usable(p);
	return rc;
}

int gate_ifaces_read(struct gate_ifaces *p)
{
	int rc = 0;

	for (unsigned int i = 0; i < p->n && !rc; i++)
		if (!p->at[i]->unusable)
			rc = read_iface(p->at[i]);
	return rc;
}

void gate_ifaces_forget_gone(struct gate_ifaces *p)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->n; i++) {
		if (p->at[i]->gone)
			free_iface(p, p->at[i]);
		else
			p->at[n++] = p->at[i];
	}
	p->n = n;
}

void gate_ifaces_close(struct gate_ifaces *p)
{
	for (unsigned int i = 0; i < p->n; i++)
		free_iface(p, p->at[i]);
	free(p->at);
	nl_close(&p->ask);
	nl_close(&p->watch);
	*p = (struct gate_ifaces){ 0 };
}
