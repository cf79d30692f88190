/* SPDX-License-Identifier: MIT */
/* A copy of the programs an interface, with its number and its kind of packets frozen into it; all
 * write into one area. */
#include "capture/session.h"
#include <errno.h>
#include <linux/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "gen/capture.gen.h"
#include "net/frame.h"
#include "obj/feature.h"
#include "sys/bpf.h"
#include "sys/netns.h"
#include "sys/promisc.h"

uint16_t capture_link_type(const struct link *link)
{
	return link_has_ethernet(link) ? FRAME_ETHERNET : FRAME_RAW_IP;
}

/* By hooks and by whether the area is mapped. */
static uint32_t prog_for(const struct capture_session *t, enum capture_dir dir)
{
	static const uint32_t progs[2][3] = {
		{ CAPTURE_PROG_SONDE_RING_IN, CAPTURE_PROG_SONDE_RING_OUT,
		  CAPTURE_PROG_SONDE_RING_XDP },
		{ CAPTURE_PROG_SONDE_CAP_IN, CAPTURE_PROG_SONDE_CAP_OUT,
		  CAPTURE_PROG_SONDE_CAP_XDP },
	};

	return progs[t->packets.mapped][t->opts.hooks[dir] & HOOKS_XDP ? 2 : dir];
}

/* Of packets that the loopback interface sends only those that it receives again are taken, as
 * libpcap does: else each would be there twice. */
static bool takes(const struct capture_session *t, const struct link *link, enum capture_dir dir)
{
	return t->opts.hooks[dir] &&
	       !(dir == CAPTURE_OUT && link->type == ARPHRD_LOOPBACK && t->opts.hooks[CAPTURE_IN]);
}

/* Room for the counts of every CPU, zeros; the number of CPUs, or -errno. */
static int counts_new(struct capture_counts **counts)
{
	int cpus = bpf_possible_cpus();
	struct capture_counts *got;

	if (cpus < 0)
		return cpus;
	got = calloc((size_t)cpus, sizeof(*got));
	if (!got)
		return -ENOMEM;
	*counts = got;
	return cpus;
}

/* Each CPU's counts know whose they are. */
static int number_cpus(const struct capture_iface *iface)
{
	struct capture_counts *values = NULL;
	int cpus = counts_new(&values), rc = cpus;
	uint32_t zero = 0;

	for (int i = 0; i < cpus; i++)
		values[i].cpu = (uint64_t)i;
	if (cpus > 0)
		rc = bpf_map_update(iface->obj.map_fd[CAPTURE_MAP_COUNTS], &zero, values, BPF_ANY);
	free(values);
	return rc ? fail_errno(rc, "%s: counts", iface->link.name) : 0;
}

/* Of a view: a socket is looked for by addresses and ports. */
static unsigned int groups_for(const struct capture_session *t)
{
	unsigned int groups = t->opts.filter ? filter_groups(t->opts.filter) : 0;

	return t->opts.owner == CAPTURE_OWNER_ALL ? groups | VIEW_ADDRS | VIEW_PORTS : groups;
}

static int load(struct capture_session *t, struct capture_iface *iface, bool multibuf)
{
	const struct filter *f = t->opts.filter;
	struct capture_conf conf = {
		.iface = t->n,
		.snaplen = t->opts.snaplen,
		.fill = t->packets.fill,
		.chunks = t->packets.chunks,
		.cpus = t->packets.cpus,
		.ethernet = link_has_ethernet(&iface->link),
		.prepend = t->mixed && !link_has_ethernet(&iface->link),
		.filter = f && f->nodes,
		.inner = f && f->needs & FILTER_NEED_INNER,
		.groups = (uint8_t)groups_for(t),
		.multibuf = multibuf,
		.owner = t->owners.map_fd ? t->opts.owner : CAPTURE_OWNER_NONE,
		.has_rules = f && f->needs & FILTER_NEED_OWNER,
		.netns = t->netns,
		.observer = iface->gate.slot_fd != 0,
	};
	struct obj_map maps[CAPTURE_NMAPS] = {
		[CAPTURE_MAP_CPUS] = { .fd = t->packets.cpus_fd },
		[CAPTURE_MAP_BLOCKS] = { .fd = t->packets.packet_buf_fd },
		[CAPTURE_MAP_RING] = { .fd = t->packets.ring_fd },
		[CAPTURE_MAP_OWNERS] = { .fd = t->owners.map_fd },
		[CAPTURE_MAP_DECISION] = { .fd = iface->gate.decision_fd },
	};
	struct obj_code stubs[CAPTURE_NPROGS] = { 0 };
	struct obj_opts opts = { .stubs = stubs,
				 .maps = maps,
				 .conf = &conf,
				 .xdp_flags = multibuf ? BPF_F_XDP_HAS_FRAGS : 0,
				 .verbose = t->opts.verbose };
	int rc;

	for (int dir = 0; dir < CAPTURE_DIRS; dir++)
		if (takes(t, &iface->link, dir))
			opts.progs |= 1u << prog_for(t, dir);
	for (uint32_t i = 0; conf.filter && i < CAPTURE_NPROGS; i++) {
		const struct filter_code *code =
			&t->code[capture_spec.progs[i].type == BPF_PROG_TYPE_XDP ? FILTER_XDP
										 : FILTER_SKB];

		stubs[i] = (struct obj_code){ .insns = code->insns, .n = (uint32_t)code->n };
	}
	rc = obj_open(&iface->obj, &capture_spec, &opts);
	return rc ? rc : number_cpus(iface);
}

static int fail_attach(const struct link *link, enum capture_dir dir, const struct attach_report *r,
		       int rc)
{
	struct buf line = { 0 };

	if (rc == -ENODEV)
		return fail(rc, "%s: the interface is gone", link->name);
	attach_format_report(r, &line);
	fail(rc, "%s: cannot capture what %s (%.*s)", link->name,
	     dir == CAPTURE_IN ? "comes in" : "goes out", (int)line.len, line.data);
	buf_free(&line);
	return rc;
}

/* One line an interface: the hooks that were taken, and why not the ones before them. */
static void note_hooks(const struct capture_iface *p, const struct attach_report *reports)
{
	static const char *const names[] = { "in", "out" };
	struct buf line = { 0 };

	for (int dir = 0; dir < CAPTURE_DIRS; dir++) {
		if (dir == CAPTURE_IN && p->gate.slot_fd)
			buf_str(&line, "in: behind the gate at xdp");
		if (!p->at[dir].hook)
			continue;
		buf_printf(&line, "%s%s: %s", line.len ? ", " : "", names[dir],
			   hook_name(p->at[dir].hook));
		if (!reports[dir].n)
			continue;
		buf_str(&line, " (");
		attach_format_report(&reports[dir], &line);
		buf_char(&line, ')');
	}
	note("%s: %.*s", p->link.name, (int)line.len, line.data);
	buf_free(&line);
}

static int attach(struct capture_session *t, struct capture_iface *p)
{
	struct attach_report reports[CAPTURE_DIRS] = { 0 };

	for (int dir = 0; dir < CAPTURE_DIRS; dir++) {
		int fd = p->obj.prog_fd[prog_for(t, dir)], rc;

		if (!takes(t, &p->link, dir) || (dir == CAPTURE_IN && p->gate.slot_fd))
			continue;
		rc = attach_open(&p->at[dir], &t->follower.request, p->link.ifindex,
				 dir == CAPTURE_IN, fd, t->opts.hooks[dir], false, &reports[dir]);
		if (rc)
			return fail_attach(&p->link, dir, &reports[dir], rc);
	}
	if (!t->opts.quiet)
		note_hooks(p, reports);
	return 0;
}

static void detach_iface(struct capture_session *t, struct capture_iface *p)
{
	for (int dir = 0; dir < CAPTURE_DIRS; dir++)
		attach_close(&p->at[dir], &t->follower.request);
	observe_close(&p->gate);
}

static void free_iface(struct capture_session *t, struct capture_iface *p)
{
	detach_iface(t, p);
	obj_close(&p->obj);
	free(p);
}

/* For frames in several buffers where the kernel knows them; a gate's observer has to be loaded as
 * the gate was. */
static int load_any_way(struct capture_session *t, struct capture_iface *p)
{
	bool multibuf = t->opts.hooks[CAPTURE_IN] & HOOKS_XDP &&
			!feature_try("XDP frames in several buffers");
	int rc = load(t, p, multibuf), fd;

	if (rc || !p->gate.slot_fd)
		return rc;
	fd = p->obj.prog_fd[prog_for(t, CAPTURE_IN)];
	rc = observe_set(&p->gate, fd);
	if (rc == -EINVAL && multibuf) {
		obj_close(&p->obj);
		rc = load(t, p, false);
		if (!rc)
			rc = observe_set(&p->gate, p->obj.prog_fd[prog_for(t, CAPTURE_IN)]);
	}
	return rc ? fail_errno(rc, "%s: observing the gate", p->link.name) : 0;
}

static int find_gate(struct capture_session *t, struct capture_iface *p)
{
	int rc = t->opts.hooks[CAPTURE_IN] & HOOKS_XDP
			 ? observe_open(&p->gate, &t->follower.request, &p->link)
			 : 0;

	return rc == -EBUSY ? rc : 0; /* anything else shows in attaching */
}

static int open_iface(struct capture_session *t, struct capture_iface *p, const struct link *link)
{
	int rc;

	p->link = *link;
	p->link_type = t->mixed ? FRAME_ETHERNET : capture_link_type(link);
	p->start_ns = clock_real();
	rc = find_gate(t, p);
	if (!rc)
		rc = load_any_way(t, p);
	if (!rc)
		rc = attach(t, p);
	if (!rc && t->opts.promiscuous && t->opts.names->n &&
	    promisc_add(&t->promiscuous_fd, link->ifindex))
		note("%s: not promiscuous: frames for others may be missing", link->name);
	return rc;
}

static int add_iface(struct capture_session *t, const struct link *link)
{
	struct capture_iface **more = realloc(t->ifaces, (t->n + 1) * sizeof(*more));
	struct capture_iface *p = calloc(1, sizeof(*p));
	int rc;

	if (more)
		t->ifaces = more;
	if (!more || !p) {
		free(p);
		return fail_errno(-ENOMEM, "%s", link->name);
	}
	rc = open_iface(t, p, link);
	if (rc) {
		free_iface(t, p);
		return rc;
	}
	t->ifaces[t->n++] = p;
	return 0;
}

static struct capture_iface *find_iface(const struct capture_session *t, int ifindex)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->ifaces[i]->link.ifindex == ifindex && !t->ifaces[i]->gone)
			return t->ifaces[i];
	return NULL;
}

/* An interface gets its number, and on_iface() is called, once its programs are attached: its
 * packets are read only after that. */
static int use_link(struct capture_session *t, const struct link *link)
{
	uint32_t n = t->n;
	int rc = add_iface(t, link);

	if (!rc)
		return t->opts.on_iface(t->ifaces[n], n, t->opts.arg);
	/* The verifier refused the programs: it would for the others, too. */
	if (rc == -EINVAL)
		return rc;
	return iface_follower_reject(&t->follower, link->ifindex, rc);
}

/* An interface that is gone keeps its maps, for its last counts, but not its programs: the same
 * interface may be back, and get new ones. */
static int apply_change(struct capture_session *t, const struct iface_change *change)
{
	struct capture_iface *p = find_iface(t, change->link.ifindex);

	if (change->kind == IFACE_ADDED)
		return use_link(t, &change->link);
	if (p && change->kind == IFACE_RENAMED) {
		p->link = change->link;
	} else if (p) {
		p->gone = true;
		detach_iface(t, p);
	}
	return 0;
}

static int apply_changes(struct capture_session *t)
{
	struct iface_change change;
	int rc = iface_follower_next(&t->follower, &change);

	while (rc > 0) {
		rc = apply_change(t, &change);
		if (!rc)
			rc = iface_follower_next(&t->follower, &change);
	}
	return rc;
}

/* Interfaces without Ethernet among others: a file is to have one kind of packets only, or libpcap
 * does not read it. With "every one" others may come. */
static bool is_mixed(const struct capture_session *t)
{
	const struct iface_follower *f = &t->follower;
	unsigned int with = 0, without = 0;

	for (size_t i = f->done; i < f->nchanges; i++)
		*(link_has_ethernet(&f->changes[i].link) ? &with : &without) += 1;
	return !f->names || (with && without);
}

static int attach_all(struct capture_session *t)
{
	int rc = iface_follower_start(&t->follower, true);

	if (rc)
		return rc;
	t->mixed = is_mixed(t);
	rc = apply_changes(t);
	if (!rc && !t->follower.nused)
		rc = fail(-ENODEV, "there is no interface to capture on");
	return rc;
}

static int emit(struct capture_session *t)
{
	struct diag diag = { 0 };
	int rc = 0;

	if (!t->opts.filter)
		return 0;
	for (int i = 0; i < 2 && !rc; i++)
		rc = filter_emit(t->opts.filter, (enum filter_target)i, &t->code[i], &diag);
	if (rc)
		return fail(rc, "filter: %s", *diag.msg ? diag.msg : err_message(rc));
	rc = sets_open(&t->sets, &t->opts.filter, 1, "sonde_set");
	for (int i = 0; i < 2 && !rc; i++)
		rc = sets_link(&t->sets, &t->code[i]);
	return rc;
}

bool capture_session_is_exact(const struct capture_session *t)
{
	return !t->opts.filter || (t->code[FILTER_XDP].exact && t->code[FILTER_SKB].exact);
}

/* Where processes cannot be known packets are shown without; a filter that asks for them is to hear
 * of it. */
static int open_owners(struct capture_session *t)
{
	bool has_rules = t->opts.filter && t->opts.filter->needs & FILTER_NEED_OWNER;
	int rc;

	if (has_rules)
		t->opts.owner = CAPTURE_OWNER_ALL;
	if (t->opts.owner == CAPTURE_OWNER_NONE)
		return 0;
	rc = owners_open(&t->owners);
	if (rc && has_rules)
		return fail_errno(rc, "the filter asks for processes, which are not known here");
	if (rc) {
		note("processes are not known: %s", err_message(rc));
		return 0;
	}
	rc = owners_scan(&t->owners);
	if (rc)
		note("processes with sockets from before are not known: %s", err_message(rc));
	return 0;
}

static int open_all(struct capture_session *t)
{
	struct packet_buf_opts packets = { .snaplen = t->opts.snaplen,
					   .bytes = t->opts.bytes,
					   .ring = t->opts.ring };
	unsigned int hooks = t->opts.hooks[CAPTURE_IN] | t->opts.hooks[CAPTURE_OUT];
	int rc = emit(t);

	if (rc)
		return rc;
	t->netns = netns_current_inode();
	rc = iface_follower_open(&t->follower, t->opts.names);
	if (rc)
		return rc;
	rc = attach_prepare(hooks);
	if (rc)
		return fail_errno(rc, "starting the keeper of tc filters");
	rc = packet_buf_open(&t->packets, &packets);
	if (!rc)
		rc = open_owners(t);
	return rc ? rc : attach_all(t);
}

int capture_session_open(struct capture_session *t, const struct capture_session_opts *opts)
{
	int rc;

	*t = (struct capture_session){ .opts = *opts };
	rc = open_all(t);
	if (rc)
		capture_session_close(t);
	return rc;
}

int capture_session_follow(struct capture_session *t)
{
	int rc = iface_follower_update(&t->follower);

	return rc ? rc : apply_changes(t);
}

void capture_session_stop(struct capture_session *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		detach_iface(t, t->ifaces[i]);
}

int capture_iface_counts(const struct capture_iface *iface, struct capture_iface_counts *counts)
{
	struct capture_counts *values;
	int cpus = counts_new(&values), rc;
	uint32_t zero = 0;

	if (cpus < 0)
		return cpus;
	rc = bpf_map_lookup(iface->obj.map_fd[CAPTURE_MAP_COUNTS], &zero, values);
	if (!rc)
		*counts = (struct capture_iface_counts){ 0 };
	for (int i = 0; i < cpus && !rc; i++) {
		counts->seen += values[i].seen;
		counts->matched += values[i].matched;
		counts->lost += values[i].lost;
	}
	free(values);
	return rc;
}

void capture_session_close(struct capture_session *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		free_iface(t, t->ifaces[i]);
	free(t->ifaces);
	filter_code_close(&t->code[0]);
	filter_code_close(&t->code[1]);
	sets_close(&t->sets);
	packet_buf_close(&t->packets);
	owners_close(&t->owners);
	iface_follower_close(&t->follower);
	if (t->promiscuous_fd)
		close(t->promiscuous_fd);
	*t = (struct capture_session){ 0 };
}
