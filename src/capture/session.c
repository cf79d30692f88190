/* SPDX-License-Identifier: MIT */
/* Loads the programs once for each interface, with its number and link type in their conf; all of
 * them write into one packet_buf. */
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

/* Programs by direction or XDP, and by whether the packet_buf is mapped. */
static uint32_t choose_prog(const struct capture_session *s, enum capture_dir dir)
{
	static const uint32_t progs[2][3] = {
		{ CAPTURE_PROG_SONDE_RING_IN, CAPTURE_PROG_SONDE_RING_OUT,
		  CAPTURE_PROG_SONDE_RING_XDP },
		{ CAPTURE_PROG_SONDE_CAP_IN, CAPTURE_PROG_SONDE_CAP_OUT,
		  CAPTURE_PROG_SONDE_CAP_XDP },
	};

	return progs[s->packets.mapped][s->opts.hooks[dir] & HOOKS_XDP ? 2 : dir];
}

/* Of what the loopback interface sends only the received copy is captured, as libpcap does; else
 * each packet would appear twice. */
static bool captures_dir(const struct capture_session *s, const struct link *link,
			 enum capture_dir dir)
{
	return s->opts.hooks[dir] &&
	       !(dir == CAPTURE_OUT && link->type == ARPHRD_LOOPBACK && s->opts.hooks[CAPTURE_IN]);
}

/* Allocates zeroed counts for every possible CPU. Returns the number of CPUs or -errno. */
static int new_counts(struct capture_counts **counts)
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

/* Tells each CPU's counts its CPU number. */
static int number_cpus(const struct capture_iface *iface)
{
	struct capture_counts *values = NULL;
	int cpus = new_counts(&values), rc = cpus;
	uint32_t zero = 0;

	for (int i = 0; i < cpus; i++)
		values[i].cpu = (uint64_t)i;
	if (cpus > 0)
		rc = bpf_map_update(iface->obj.map_fd[CAPTURE_MAP_COUNTS], &zero, values, BPF_ANY);
	free(values);
	return rc ? fail_errno(rc, "%s: setting up the counts", iface->link.name) : 0;
}

/* Parts of a view to fill in: finding a socket takes addresses and ports. */
static unsigned int choose_groups(const struct capture_session *s)
{
	unsigned int groups = s->opts.filter ? filter_groups(s->opts.filter) : 0;

	return s->opts.owner == CAPTURE_OWNER_ALL ? groups | VIEW_ADDRS | VIEW_PORTS : groups;
}

static int load_progs(struct capture_session *s, struct capture_iface *iface, bool multibuf)
{
	const struct filter *f = s->opts.filter;
	struct capture_conf conf = {
		.iface = s->n,
		.snaplen = s->opts.snaplen,
		.fill = s->packets.fill,
		.chunks = s->packets.chunks,
		.cpus = s->packets.cpus,
		.ethernet = link_has_ethernet(&iface->link),
		.prepend = s->mixed && !link_has_ethernet(&iface->link),
		.filter = f && f->nodes,
		.inner = f && f->needs & FILTER_NEED_INNER,
		.groups = (uint8_t)choose_groups(s),
		.multibuf = multibuf,
		.owner = s->owners.map_fd ? s->opts.owner : CAPTURE_OWNER_NONE,
		.filter_owner = f && f->needs & FILTER_NEED_OWNER,
		.netns = s->netns,
		.observer = iface->gate.slot_fd != 0,
	};
	struct obj_map maps[CAPTURE_NMAPS] = {
		[CAPTURE_MAP_CPUS] = { .fd = s->packets.cpus_fd },
		[CAPTURE_MAP_BLOCKS] = { .fd = s->packets.blocks_fd },
		[CAPTURE_MAP_RING] = { .fd = s->packets.ring_fd },
		[CAPTURE_MAP_OWNERS] = { .fd = s->owners.map_fd },
		[CAPTURE_MAP_DECISION] = { .fd = iface->gate.decision_fd },
	};
	struct obj_code stubs[CAPTURE_NPROGS] = { 0 };
	struct obj_opts opts = { .stubs = stubs,
				 .maps = maps,
				 .conf = &conf,
				 .xdp_flags = multibuf ? BPF_F_XDP_HAS_FRAGS : 0,
				 .verbose = s->opts.verbose };
	int rc;

	for (int dir = 0; dir < CAPTURE_DIRS; dir++)
		if (captures_dir(s, &iface->link, dir))
			opts.progs |= 1u << choose_prog(s, dir);
	for (uint32_t i = 0; conf.filter && i < CAPTURE_NPROGS; i++) {
		const struct filter_code *code =
			&s->code[capture_spec.progs[i].type == BPF_PROG_TYPE_XDP ? FILTER_XDP
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
	fail(rc, "%s: cannot capture %s packets (%.*s)", link->name,
	     dir == CAPTURE_IN ? "received" : "sent", (int)line.len, line.data);
	buf_free(&line);
	return rc;
}

/* Reports the hooks in use on an interface, and why better ones were not. */
static void note_hooks(const struct capture_iface *iface, const struct attach_report *reports)
{
	static const char *const names[] = { "in", "out" };
	struct buf line = { 0 };

	for (int dir = 0; dir < CAPTURE_DIRS; dir++) {
		if (dir == CAPTURE_IN && iface->gate.slot_fd)
			buf_str(&line, "in: after sonde's installed program at xdp");
		if (!iface->at[dir].hook)
			continue;
		buf_printf(&line, "%s%s: %s", line.len ? ", " : "", names[dir],
			   hook_name(iface->at[dir].hook));
		if (!reports[dir].n)
			continue;
		buf_str(&line, " (");
		attach_format_report(&reports[dir], &line);
		buf_char(&line, ')');
	}
	note("%s: %.*s", iface->link.name, (int)line.len, line.data);
	buf_free(&line);
}

static int attach_iface(struct capture_session *s, struct capture_iface *iface)
{
	struct attach_report reports[CAPTURE_DIRS] = { 0 };

	for (int dir = 0; dir < CAPTURE_DIRS; dir++) {
		int fd = iface->obj.prog_fd[choose_prog(s, dir)], rc;

		if (!captures_dir(s, &iface->link, dir) ||
		    (dir == CAPTURE_IN && iface->gate.slot_fd))
			continue;
		rc = attach_open(&iface->at[dir], &s->follower.request, iface->link.ifindex,
				 dir == CAPTURE_IN, fd, s->opts.hooks[dir], false, &reports[dir]);
		if (rc)
			return fail_attach(&iface->link, dir, &reports[dir], rc);
	}
	if (!s->opts.quiet)
		note_hooks(iface, reports);
	return 0;
}

static void detach_iface(struct capture_session *s, struct capture_iface *iface)
{
	for (int dir = 0; dir < CAPTURE_DIRS; dir++)
		attach_close(&iface->at[dir], &s->follower.request);
	observe_close(&iface->gate);
}

static void free_iface(struct capture_session *s, struct capture_iface *iface)
{
	detach_iface(s, iface);
	obj_close(&iface->obj);
	free(iface);
}

/* Loads programs for frames in several buffers where the kernel has these. A gate's observer must
 * match how the gate was loaded. */
static int load_iface(struct capture_session *s, struct capture_iface *iface)
{
	bool multibuf = s->opts.hooks[CAPTURE_IN] & HOOKS_XDP &&
			!feature_try("XDP frames in several buffers");
	int rc = load_progs(s, iface, multibuf), fd;

	if (rc || !iface->gate.slot_fd)
		return rc;
	fd = iface->obj.prog_fd[choose_prog(s, CAPTURE_IN)];
	rc = observe_set(&iface->gate, fd);
	if (rc == -EINVAL && multibuf) {
		obj_close(&iface->obj);
		rc = load_progs(s, iface, false);
		if (!rc)
			rc = observe_set(&iface->gate,
					 iface->obj.prog_fd[choose_prog(s, CAPTURE_IN)]);
	}
	return rc ? fail_errno(rc, "%s: capturing after sonde's installed program",
			       iface->link.name)
		  : 0;
}

static int find_gate(struct capture_session *s, struct capture_iface *iface)
{
	int rc = s->opts.hooks[CAPTURE_IN] & HOOKS_XDP
			 ? observe_open(&iface->gate, &s->follower.request, &iface->link)
			 : 0;

	return rc == -EBUSY ? rc : 0; /* attaching reports anything else */
}

static int open_iface(struct capture_session *s, struct capture_iface *iface,
		      const struct link *link)
{
	int rc;

	iface->link = *link;
	iface->link_type = s->mixed ? FRAME_ETHERNET : capture_link_type(link);
	iface->start_ns = clock_real();
	rc = find_gate(s, iface);
	if (!rc)
		rc = load_iface(s, iface);
	if (!rc)
		rc = attach_iface(s, iface);
	if (!rc && s->opts.promiscuous && s->opts.names->n &&
	    promisc_add(&s->promiscuous_fd, link->ifindex))
		note("%s: no promiscuous mode: packets for other hosts may be missing", link->name);
	return rc;
}

static int add_iface(struct capture_session *s, const struct link *link)
{
	struct capture_iface **more = realloc(s->ifaces, (s->n + 1) * sizeof(*more));
	struct capture_iface *iface = calloc(1, sizeof(*iface));
	int rc;

	if (more)
		s->ifaces = more;
	if (!more || !iface) {
		free(iface);
		return fail_errno(-ENOMEM, "%s", link->name);
	}
	rc = open_iface(s, iface, link);
	if (rc) {
		free_iface(s, iface);
		return rc;
	}
	s->ifaces[s->n++] = iface;
	return 0;
}

static struct capture_iface *find_iface(const struct capture_session *s, int ifindex)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->ifaces[i]->link.ifindex == ifindex && !s->ifaces[i]->gone)
			return s->ifaces[i];
	return NULL;
}

/* An interface gets its number and is announced after its programs are attached: its packets are
 * read only after that. */
static int use_link(struct capture_session *s, const struct link *link)
{
	uint32_t n = s->n;
	int rc = add_iface(s, link);

	if (!rc)
		return s->opts.on_iface(s->ifaces[n], n, s->opts.arg);
	/* The verifier refused the programs: it would refuse them for the others too. */
	if (rc == -EINVAL)
		return rc;
	return iface_follower_reject(&s->follower, link->ifindex, rc);
}

/* An interface that is gone keeps its maps, for its last counts, but not its programs: the same
 * interface may be back, and gets new ones. */
static int apply_change(struct capture_session *s, const struct iface_change *change)
{
	struct capture_iface *iface = find_iface(s, change->link.ifindex);

	if (change->kind == IFACE_ADDED)
		return use_link(s, &change->link);
	if (iface && change->kind == IFACE_RENAMED) {
		iface->link = change->link;
	} else if (iface) {
		iface->gone = true;
		detach_iface(s, iface);
	}
	return 0;
}

static int apply_changes(struct capture_session *s)
{
	struct iface_change change;
	int rc = iface_follower_next(&s->follower, &change);

	while (rc > 0) {
		rc = apply_change(s, &change);
		if (!rc)
			rc = iface_follower_next(&s->follower, &change);
	}
	return rc;
}

/* Returns true if interfaces with and without Ethernet headers are captured together: libpcap reads
 * files with one link type only. With no names given, both kinds may appear later. */
static bool is_mixed(const struct capture_session *s)
{
	const struct iface_follower *f = &s->follower;
	unsigned int with = 0, without = 0;

	for (size_t i = f->done; i < f->nchanges; i++)
		*(link_has_ethernet(&f->changes[i].link) ? &with : &without) += 1;
	return !s->opts.names->n || (with && without);
}

static int attach_all(struct capture_session *s)
{
	int rc = iface_follower_start(&s->follower, true);

	if (rc)
		return rc;
	s->mixed = is_mixed(s);
	rc = apply_changes(s);
	if (!rc && !s->follower.nused)
		rc = fail(-ENODEV, "no interface is up");
	return rc;
}

static int compile_filter(struct capture_session *s)
{
	struct diag diag = { 0 };
	int rc = 0;

	if (!s->opts.filter)
		return 0;
	for (int i = 0; i < 2 && !rc; i++)
		rc = filter_emit(s->opts.filter, (enum filter_target)i, &s->code[i], &diag);
	if (rc)
		return fail(rc, "filter: %s", *diag.msg ? diag.msg : err_message(rc));
	rc = sets_open(&s->sets, &s->opts.filter, 1, "sonde_set");
	for (int i = 0; i < 2 && !rc; i++)
		rc = sets_link(&s->sets, &s->code[i]);
	return rc;
}

bool capture_session_is_exact(const struct capture_session *s)
{
	return !s->opts.filter || (s->code[FILTER_XDP].exact && s->code[FILTER_SKB].exact);
}

/* Without process information packets are shown without it; a filter that needs it fails. */
static int open_owners(struct capture_session *s)
{
	bool filters_owner = s->opts.filter && s->opts.filter->needs & FILTER_NEED_OWNER;
	int rc;

	if (filters_owner)
		s->opts.owner = CAPTURE_OWNER_ALL;
	if (s->opts.owner == CAPTURE_OWNER_NONE)
		return 0;
	rc = owners_open(&s->owners);
	if (rc && filters_owner)
		return fail_errno(rc, "this filter needs processes, which are unavailable");
	if (rc) {
		note("packets are shown without their process: %s", err_message(rc));
		return 0;
	}
	rc = owners_scan(&s->owners);
	if (rc)
		note("packets of existing sockets are shown without their process: %s",
		     err_message(rc));
	return 0;
}

static int open_all(struct capture_session *s)
{
	struct packet_buf_opts packets = { .snaplen = s->opts.snaplen,
					   .bytes = s->opts.bytes,
					   .ring = s->opts.ring };
	unsigned int hooks = s->opts.hooks[CAPTURE_IN] | s->opts.hooks[CAPTURE_OUT];
	int rc = compile_filter(s);

	if (rc)
		return rc;
	s->netns = netns_current_inode();
	rc = iface_follower_open(&s->follower, s->opts.names);
	if (rc)
		return rc;
	rc = attach_prepare(hooks);
	if (rc)
		return fail_errno(rc, "starting the process that removes tc filters");
	rc = packet_buf_open(&s->packets, &packets);
	if (!rc)
		rc = open_owners(s);
	return rc ? rc : attach_all(s);
}

int capture_session_open(struct capture_session *s, const struct capture_session_opts *opts)
{
	int rc;

	*s = (struct capture_session){ .opts = *opts };
	rc = open_all(s);
	if (rc)
		capture_session_close(s);
	return rc;
}

int capture_session_follow(struct capture_session *s)
{
	int rc = iface_follower_update(&s->follower);

	return rc ? rc : apply_changes(s);
}

void capture_session_stop(struct capture_session *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		detach_iface(s, s->ifaces[i]);
}

int capture_iface_counts(const struct capture_iface *iface, struct capture_iface_counts *counts)
{
	struct capture_counts *values;
	int cpus = new_counts(&values), rc;
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

void capture_session_close(struct capture_session *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		free_iface(s, s->ifaces[i]);
	free(s->ifaces);
	filter_code_close(&s->code[0]);
	filter_code_close(&s->code[1]);
	sets_close(&s->sets);
	packet_buf_close(&s->packets);
	owners_close(&s->owners);
	iface_follower_close(&s->follower);
	if (s->promiscuous_fd)
		close(s->promiscuous_fd);
	*s = (struct capture_session){ 0 };
}
