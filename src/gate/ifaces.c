/* SPDX-License-Identifier: MIT */
/* Attaches a gate to each interface that the follower adds, or finds installed gates. */
#include "gate/ifaces.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "gate/install.h"
#include "sys/bpf.h"

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
	gate_close(&iface->gate, &p->follower.request);
	gate_counters_free(&iface->last);
	gate_counters_free(&iface->total);
	gate_counters_free(&iface->delta);
	free(iface);
}

int gate_ifaces_open(struct gate_ifaces *p, const struct opt_list *names,
		     const struct gate_opts *opts)
{
	struct gate_ifaces got = { .opts = *opts };
	int rc = iface_follower_open(&got.follower, names);

	if (!rc)
		*p = got;
	return rc;
}

/* Uses tc where a running sonde counts at XDP, and without names also where another XDP program is
 * attached. */
static int open_gate(struct gate_ifaces *p, struct gate *gate, const struct link *link)
{
	struct nl *nl = &p->follower.request;
	struct gate_opts tc = p->opts;
	int rc = gate_open(gate, nl, link, &p->opts);

	if (rc != -EALREADY && (p->follower.names || (rc != -EBUSY && rc != -EEXIST)))
		return rc;
	note("%s: %scounting incoming packets at tc", link->name,
	     rc == -EALREADY ? "a running sonde uses XDP; " : "");
	tc.hooks[GATE_IN] = HOOKS_TC;
	return gate_open(gate, nl, link, &tc);
}

/* Does not show what another sonde's gate counted before now. */
static void start_from_baseline(struct gate_iface *iface)
{
	gate_counters_free(&iface->last);
	iface->last = iface->gate.baseline;
	iface->gate.baseline = (struct gate_counters){ 0 };
}

static int attach_gate(struct gate_ifaces *p, const struct link *link)
{
	struct gate_iface *iface = add_iface(p);
	int rc;

	if (!iface)
		return fail_errno(-ENOMEM, "%s", link->name);
	rc = open_gate(p, &iface->gate, link);
	if (rc) {
		free(iface);
		p->n--;
		return rc;
	}
	start_from_baseline(iface);
	return 0;
}

/* Adds the counters to the users of an installed gate, so that it stays when its rules are removed.
 * *is_new: they were none before. */
static int join_gate(struct gate_ifaces *p, const struct link *link, enum gate_dir dir,
		     bool *is_new)
{
	struct gate_install install = { 0 };
	int rc = gate_install_open(&install, &p->follower.request, link, dir);

	*is_new = !rc && !(install.users & GATE_USER_COUNT);
	if (*is_new)
		rc = gate_set_users(&install, install.users | GATE_USER_COUNT);
	gate_install_close(&install);
	return rc;
}

/* Returns the directions (bits) that installed gates serve as requested: all of them, or those that
 * only rules used before. -EEXIST if counters are installed in another way. Reports errors. */
static int join_gates(struct gate_ifaces *p, const struct link *link, const struct gate *gate)
{
	int asked_for = 0, served = 0, rc = 0;
	bool any_old = false;

	for (int dir = 0; dir < GATE_DIRS && !rc; dir++) {
		enum hook hook = gate->counters[dir].hook;
		bool is_new = false;

		asked_for |= (p->opts.hooks[dir] != 0) << dir;
		if (!p->opts.hooks[dir] || !hook)
			continue;
		if (!(p->opts.hooks[dir] & HOOK_BIT(hook)))
			rc = -EEXIST;
		else
			rc = join_gate(p, link, (enum gate_dir)dir, &is_new);
		served |= 1 << dir;
		any_old |= !is_new;
	}
	if (rc == -EEXIST || (!rc && any_old && served != asked_for))
		return fail(-EEXIST,
			    "%s: sonde is installed with other options: use the same, or "
			    "remove all with sonde detach -i %s",
			    link->name, link->name);
	return rc ? rc : served;
}

static int fail_find(int rc, const char *iface, const char *what)
{
	if (rc == -EPERM)
		return fail(rc, "%s: finding installed %s needs CAP_SYS_ADMIN: run as root", iface,
			    what);
	return fail_errno(rc, "%s: finding installed %s", iface, what);
}

/* Keeps an installation that counts as requested, with its counters. Returns the directions (bits)
 * that are already served; -EEXIST for one that counts in another way, which is not changed
 * silently. */
static int join_installed(struct gate_ifaces *p, const struct link *link)
{
	struct gate gate = { 0 };
	int rc;

	if (!p->opts.persistent)
		return 0;
	rc = gate_find(&gate, &p->follower.request, link);
	if (rc)
		return rc == -ENOENT ? 0 : fail_find(rc, link->name, "programs");
	rc = join_gates(p, link, &gate);
	gate_close(&gate, &p->follower.request);
	if (rc > 0)
		note("%s: installed already; its counters continue", link->name);
	return rc;
}

/* Attaches a gate for the directions that are not served yet. */
static int attach_unserved(struct gate_ifaces *p, const struct link *link, int served)
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
		rc = attach_gate(p, link);
	p->opts = all;
	return rc;
}

static int use_link(struct gate_ifaces *p, const struct link *link)
{
	int served = join_installed(p, link), rc;

	if (served < 0)
		return served;
	rc = attach_unserved(p, link, served);
	return rc ? iface_follower_reject(&p->follower, link->ifindex, rc) : 0;
}

/* An interface that is gone keeps its maps, for its last counters, but not its programs: the same
 * interface may be back, and get new ones. */
static int apply_change(struct gate_ifaces *p, const struct iface_change *change)
{
	struct gate_iface *iface = find_iface(p, change->link.ifindex);

	if (change->kind == IFACE_ADDED)
		return use_link(p, &change->link);
	if (!iface)
		return 0;
	if (change->kind == IFACE_RENAMED) {
		iface->gate.link = change->link;
	} else {
		iface->gone = true;
		gate_detach(&iface->gate, &p->follower.request);
	}
	return 0;
}

static int apply_changes(struct gate_ifaces *p)
{
	struct iface_change change;
	int rc = iface_follower_next(&p->follower, &change);

	while (rc > 0) {
		rc = apply_change(p, &change);
		if (!rc)
			rc = iface_follower_next(&p->follower, &change);
	}
	return rc;
}

static void rollback_installed(struct gate_ifaces *p)
{
	for (unsigned int i = 0; p->opts.persistent && i < p->n; i++)
		for (int dir = 0; dir < GATE_DIRS; dir++)
			attach_undo(&p->at[i]->gate.at[dir], &p->follower.request);
}

int gate_ifaces_attach(struct gate_ifaces *p)
{
	int rc = iface_follower_start(&p->follower, !p->opts.persistent);

	if (!rc)
		rc = apply_changes(p);
	if (!rc && p->follower.n && !p->follower.nused)
		rc = fail(-ENODEV, "cannot count packets on any interface");
	if (rc)
		rollback_installed(p);
	return rc;
}

int gate_ifaces_prepare(const struct gate_ifaces *p)
{
	unsigned int hooks = p->opts.hooks[GATE_IN] | p->opts.hooks[GATE_OUT];
	int rc;

	if (hooks & HOOKS_XDP && !p->follower.names)
		hooks |= HOOKS_TC; /* where another program has XDP */
	rc = bpf_possible_cpus();  /* makes a map to find out */
	if (rc < 0)
		return fail_errno(rc, "getting the number of CPUs");
	rc = attach_prepare(hooks);
	return rc ? fail_errno(rc, "starting the process that removes tc filters") : 0;
}

static int find_installed(struct gate_ifaces *p, const struct link *link)
{
	struct nl *nl = &p->follower.request;
	struct gate_iface *iface;
	struct gate gate;
	int rc = gate_find(&gate, nl, link);

	if (rc == -ENOENT && p->follower.names)
		return fail(
			rc,
			"%s: no counters are installed (sonde count -i %s --install installs them)",
			link->name, link->name);
	if (rc)
		return rc == -ENOENT ? 0 : fail_find(rc, link->name, "counters");
	iface = add_iface(p);
	if (!iface) {
		gate_close(&gate, nl);
		return fail_errno(-ENOMEM, "%s", link->name);
	}
	iface->gate = gate;
	return 0;
}

int gate_ifaces_find(struct gate_ifaces *p)
{
	const struct opt_list all = { .n = 0 }, *names = p->follower.names;
	struct link_list links = { 0 };
	int rc = iface_list(&p->follower.request, names ? names : &all, &links);

	for (size_t i = 0; i < links.n && !rc; i++)
		rc = find_installed(p, &links.at[i]);
	link_list_free(&links);
	if (!rc && !p->n)
		rc = fail(-ENOENT,
			  "no counters are installed (sonde count --install installs them)");
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

/* The borrowed gate was detached. Its maps are still open: reads their last counters and attaches a
 * gate of its own. Notes that packets in between are not counted. */
static void replace_borrowed(struct gate_ifaces *p, struct gate_iface *iface)
{
	int rc;

	note("%s: the installed program was detached; attaching a new one "
	     "(packets in between are not counted)",
	     iface->gate.link.name);
	read_iface(iface);
	drop_dir(&iface->last, GATE_IN);
	rc = gate_attach_own(&iface->gate, &p->follower.request, &p->opts);
	if (rc) {
		iface->unusable = true;
		iface_follower_reject(&p->follower, iface->gate.link.ifindex, rc);
	}
	/* The next gate may be borrowed too: add what it counted before. */
	for (size_t i = 0; i < iface->gate.baseline.n; i++)
		gate_counters_add(&iface->last, &iface->gate.baseline.rows[i]);
	gate_counters_free(&iface->gate.baseline);
}

int gate_ifaces_follow(struct gate_ifaces *p)
{
	int rc = iface_follower_update(&p->follower);

	if (!rc)
		rc = apply_changes(p);
	for (unsigned int i = 0; i < p->n && !rc; i++) {
		struct gate_iface *iface = p->at[i];

		if (!iface->gone && !iface->unusable &&
		    !gate_is_live(&iface->gate, &p->follower.request))
			replace_borrowed(p, iface);
	}
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
	iface_follower_close(&p->follower);
	*p = (struct gate_ifaces){ 0 };
}
