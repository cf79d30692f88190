/* SPDX-License-Identifier: MIT */
/* sonde status: shows sonde's programs in the kernel, their hooks and their cost. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "cmd/common/opts.h"
#include "obj/find.h"
#include "sys/bpf.h"
#include "sys/iface_follower.h"
#include "sys/priv.h"
#include "sys/wait.h"

struct status_opts {
	struct cmd_common common;
	bool all, stats;
};

#define O struct status_opts
static const struct opt rows[] = {
	OPT_ROW_IFACES(O, "show the programs at this interface only"),
	OPT_ROW_NETNS(O),
	OPT_FLAG('a', "all", O, all,
		 "also show other programs that are not attached to an interface"),
	OPT_FLAG(0, "stats", O, stats,
		 "let the kernel count and time the runs of every BPF program for a while"),
	OPT_ROW_DURATION(O, "how long --stats measures (default: 1s)"),
	OPT_ROWS_OUTPUT(O),
	{ 0 },
};
#undef O

static const struct opt_spec spec = {
	.command = "status",
	.usage = "[OPTIONS]",
	.about = "show sonde's programs in the kernel, and what they cost\n"
		 "Other programs at the same hooks are also shown, marked "
		 "\"other\". Exits with 1 if sonde has no program in the kernel.",
	.rows = rows,
	.examples = "  sonde status\n"
		    "  sonde status --stats -d 10s\n",
};

struct status_rec {
	uint64_t program, link, memory, runs, mean;
	const char *name, *owner, *type, *interface, *direction, *hook, *held;
	struct col_list maps;
};

#define R struct status_rec
/* The columns of --stats come last. */
static const struct col cols[] = {
	{ "program", "id", "program", .role = COL_KEY, COL_AT_U64(R, program) },
	{ "name", "name", "name", .role = COL_KEY, COL_AT_STR(R, name) },
	{ "owner", "owner", "owner", .role = COL_KEY, COL_AT_STR(R, owner) },
	{ "type", "type", "type", .role = COL_KEY, COL_AT_STR(R, type) },
	{ "interface", "interface", "device", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "direction", "dir", "direction", .role = COL_KEY, COL_AT_STR(R, direction) },
	{ "hook", "hook", "hook", .role = COL_KEY, COL_AT_STR(R, hook) },
	{ "held_by", "held by", "held", .role = COL_KEY, COL_AT_STR(R, held) },
	{ "link", .role = COL_INFO, COL_AT_U64(R, link) },
	{ "maps", "maps", .role = COL_INFO, COL_AT_U64S(R, maps) },
	{ "memory_bytes", "memory", "program_memory_bytes",
	  "Kernel memory of a BPF program and its maps.", .role = COL_GAUGE, .unit = COL_BYTES,
	  COL_AT_U64(R, memory) },
	{ "runs", "runs", "program_runs", "Runs of a BPF program while it was timed.",
	  .role = COL_GAUGE, COL_AT_U64(R, runs) },
	{ "mean_seconds", "mean", "program_run_seconds", "Mean time of such a run.",
	  .role = COL_GAUGE, .unit = COL_NS, COL_AT_U64(R, mean) },
};
#undef R

enum { NCOLS = ARRAY_LEN(cols), NSTATS = 2 };
static const struct schema stats_schema = { "program", cols, NCOLS, 0 };
static const struct schema plain_schema = { "program", cols, NCOLS - NSTATS, 0 };
static const struct schema *const records[] = { &stats_schema, NULL };

/* A program and its hook. */
struct entry {
	struct found at;
	char interface[IF_NAMESIZE];
	struct find_prog prog;
	uint64_t runs, ns; /* at the start of the measurement */
};

struct entries {
	struct entry *at;
	size_t n, room;
};

static int add_entry(struct entries *e, const struct found *f, const char *interface)
{
	struct entry new = { .at = *f };
	void *more;

	/* The program was unloaded meanwhile. */
	if (find_prog(f->prog_id, &new.prog))
		return 0;
	more = array_grow(e->at, e->n, &e->room, sizeof(*e->at));
	if (!more)
		return -ENOMEM;
	e->at = more;
	if (interface)
		memcpy(new.interface, interface, sizeof(new.interface));
	new.runs = new.prog.info.run_cnt;
	new.ns = new.prog.info.run_time_ns;
	e->at[e->n++] = new;
	return 0;
}

/* Reports errors. */
static int gather_hooks(struct entries *e, const struct opt_list *names)
{
	struct link_list links = { 0 };
	struct nl nl = { 0 };
	int rc = nl_open(&nl, 0);

	rc = rc ? fail_errno(rc, "route netlink") : iface_list(&nl, names, &links);
	for (size_t i = 0; i < links.n && !rc; i++) {
		struct found_list list = { 0 };

		rc = find_attached(&nl, &links.at[i], &list);
		for (size_t j = 0; j < list.n && !rc; j++)
			rc = add_entry(e, &list.at[j], links.at[i].name);
		if (rc)
			fail_errno(rc, "%s: looking for BPF programs", links.at[i].name);
		found_list_free(&list);
	}
	link_list_free(&links);
	nl_close(&nl);
	return rc;
}

static bool is_listed(const struct entries *e, uint32_t id)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->at[i].at.prog_id == id)
			return true;
	return false;
}

/* Adds programs without a hook in this namespace: those in other namespaces and of tracing
 * commands. */
static int gather_rest(struct entries *e, bool all)
{
	uint32_t id = 0;
	int rc;

	while (!(rc = bpf_next_id(BPF_KIND_PROG, id, &id))) {
		struct found f = { .prog_id = id };
		struct find_prog prog;

		if (is_listed(e, id) || find_prog(id, &prog))
			continue;
		rc = all || find_is_ours(&prog) ? add_entry(e, &f, NULL) : 0;
		if (rc)
			return rc;
	}
	return rc == -ENOENT ? 0 : rc;
}

static const char *type_name(uint32_t type)
{
	static const char *const names[] = {
		[BPF_PROG_TYPE_SOCKET_FILTER] = "socket",
		[BPF_PROG_TYPE_KPROBE] = "kprobe",
		[BPF_PROG_TYPE_SCHED_CLS] = "tc",
		[BPF_PROG_TYPE_SCHED_ACT] = "tc action",
		[BPF_PROG_TYPE_TRACEPOINT] = "tracepoint",
		[BPF_PROG_TYPE_XDP] = "xdp",
		[BPF_PROG_TYPE_PERF_EVENT] = "perf",
		[BPF_PROG_TYPE_CGROUP_SKB] = "cgroup skb",
		[BPF_PROG_TYPE_CGROUP_SOCK] = "cgroup sock",
		[BPF_PROG_TYPE_SOCK_OPS] = "sock ops",
		[BPF_PROG_TYPE_CGROUP_DEVICE] = "cgroup device",
		[BPF_PROG_TYPE_RAW_TRACEPOINT] = "raw tracepoint",
		[BPF_PROG_TYPE_CGROUP_SOCK_ADDR] = "cgroup address",
		[BPF_PROG_TYPE_CGROUP_SYSCTL] = "cgroup sysctl",
		[BPF_PROG_TYPE_TRACING] = "tracing",
		[BPF_PROG_TYPE_LSM] = "lsm",
		[BPF_PROG_TYPE_SYSCALL] = "syscall",
	};

	if (type < ARRAY_LEN(names) && names[type])
		return names[type];
	return "unknown type";
}

static const char *held_by(const struct entry *e)
{
	if (!e->interface[0])
		return "elsewhere";
	return find_is_live(&e->at) ? "a process" : "installed";
}

static int put_entry(struct sink *sink, const struct entry *e)
{
	uint64_t maps[FIND_MAPS_MAX];
	struct status_rec rec = {
		.program = e->at.prog_id,
		.name = e->prog.info.name,
		.owner = find_is_ours(&e->prog) ? "sonde" : "other",
		.type = type_name(e->prog.info.type),
		.held = held_by(e),
		.link = col_known(e->at.link_id),
		.memory = col_known(find_memory(e->at.prog_id, &e->prog)),
		.runs = COL_UNKNOWN,
		.mean = COL_UNKNOWN,
		.maps = { maps, e->prog.nmaps, 0 },
	};
	struct find_prog now;

	for (uint32_t i = 0; i < e->prog.nmaps; i++)
		maps[i] = e->prog.maps[i];
	if (e->interface[0]) {
		rec.interface = e->interface;
		rec.direction = e->at.ingress ? "in" : "out";
		rec.hook = hook_name(e->at.hook);
	}
	if (!find_prog(e->at.prog_id, &now)) {
		rec.runs = now.info.run_cnt - e->runs;
		rec.mean = rec.runs ? (now.info.run_time_ns - e->ns) / rec.runs : COL_UNKNOWN;
	}
	return sink_row(sink, &rec);
}

static bool has_ours(const struct entries *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (find_is_ours(&e->at[i].prog))
			return true;
	return false;
}

static int print_entries(const struct entries *e, const struct status_opts *o)
{
	struct sink *sink = cmd_open_sink(&o->common, false, NULL);
	int rc;

	if (!sink)
		return -EIO;
	rc = sink_begin(sink, o->stats ? &stats_schema : &plain_schema, NULL);
	for (size_t i = 0; i < e->n && !rc; i++)
		rc = put_entry(sink, &e->at[i]);
	if (!rc && e->n)
		rc = sink_end(sink);
	sink_free(sink);
	if (rc)
		return fail_errno(rc, "standard output");
	return has_ours(e) ? 0
			   : fail(-ENOENT, "sonde has no program %s",
				  o->common.ifaces.n ? "there" : "in the kernel");
}

static int show_status(const struct status_opts *o)
{
	struct entries e = { 0 };
	int rc, timing = o->stats ? bpf_enable_stats() : 0;

	if (timing < 0)
		return fail_errno(timing, "timing BPF programs (kernel.bpf_stats_enabled)");
	rc = gather_hooks(&e, &o->common.ifaces);
	if (!rc && !o->common.ifaces.n) {
		rc = gather_rest(&e, o->all);
		if (rc)
			fail_errno(rc, "looking for BPF programs");
	}
	if (!rc && o->stats)
		wait_for(0, clock_mono() + (o->common.duration ? o->common.duration : NS_PER_S));
	if (!rc)
		rc = print_entries(&e, o);
	if (timing)
		close(timing);
	free(e.at);
	return rc;
}

static int run_status(int argc, char **argv)
{
	struct status_opts o = { 0 };
	char names[64];
	int rc;

	rc = cmd_parse_options(&spec, &o, &o.common, argc, argv);
	if (rc)
		return rc > 0 ? 0 : rc;
	if (*priv_missing(PRIV(CAP_SYS_ADMIN), names, sizeof(names)))
		return fail(-EPERM, "looking up BPF programs needs %s: run as root", names);
	rc = cmd_enter_netns(o.common.netns);
	if (rc)
		return rc;
	rc = wait_catch_signals();
	if (rc)
		return fail_errno(rc, "signals");
	return show_status(&o);
}

const struct command cmd_status = { &spec, run_status, NULL, records };
