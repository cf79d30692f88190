/* SPDX-License-Identifier: MIT */
/* sonde status: what of ours is in the kernel, where, and what it costs. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/grow.h"
#include "cmd/common/cmd.h"
#include "obj/find.h"
#include "out/sink.h"
#include "sys/bpf.h"
#include "sys/priv.h"
#include "sys/wait.h"

struct status_opts {
	const char *netns;
	uint64_t duration;
	int format;
	bool all, stats;
};

#define O struct status_opts
static const struct opt rows[] = {
	OPT_FLAG('a', "all", O, all, "others' programs too that are at no interface's hook"),
	OPT_FLAG(0, "stats", O, stats,
		 "let the kernel time every BPF program for a while (-d): runs and their mean"),
	OPT_TIME('d', "duration", "TIME", O, duration, "for --stats: how long (default: 1s)"),
	OPT_STR('N', "netns", "PATH|PID", O, netns, "interfaces of this network namespace"),
	OPT_CHOICE('o', "output", "FORMAT", O, format, sink_formats, "how to print"),
	OPT_SET(0, "json", O, format, SINK_JSON, "short for -o json"),
	{ 0 },
};
#undef O

static const struct opt_spec spec = {
	.command = "status",
	.usage = "[OPTIONS]",
	.about = "what of ours is in the kernel: programs, where they are, what they cost\n"
		 "Others' programs at the same hooks are shown, marked \"other\".",
	.rows = rows,
};

struct status_rec {
	uint64_t program, link, memory, runs, mean;
	const char *name, *owner, *type, *interface, *direction, *hook, *held, *maps;
};

#define R struct status_rec
/* What only --stats finds out comes last. */
static const struct col cols[] = {
	{ "program", "id", "program", .role = COL_KEY, COL_AT_U64(R, program) },
	{ "name", "name", "name", .role = COL_KEY, COL_AT_STR(R, name) },
	{ "owner", "owner", "owner", .role = COL_KEY, COL_AT_STR(R, owner) },
	{ "type", "type", "type", .role = COL_KEY, COL_AT_STR(R, type) },
	{ "interface", "interface", "device", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "direction", "dir", "direction", .role = COL_KEY, COL_AT_STR(R, direction) },
	{ "hook", "hook", "hook", .role = COL_KEY, COL_AT_STR(R, hook) },
	{ "held", "held by", "held", .role = COL_KEY, COL_AT_STR(R, held) },
	{ "link", .role = COL_INFO, COL_AT_U64(R, link) },
	{ "maps", "maps", .role = COL_INFO, COL_AT_STR(R, maps) },
	{ "memory_bytes", "memory", "program_memory_bytes",
	  "Kernel memory of a BPF program and its maps.", .role = COL_GAUGE, .unit = COL_BYTES,
	  COL_AT_U64(R, memory) },
	{ "runs", "runs", "program_runs", "Runs of a BPF program while it was timed.",
	  .role = COL_GAUGE, COL_AT_U64(R, runs) },
	{ "mean_ns", "mean", "program_run_seconds", "Mean time of such a run.", .role = COL_GAUGE,
	  .unit = COL_NS, COL_AT_U64(R, mean) },
};
#undef R

enum { NCOLS = sizeof(cols) / sizeof(*cols), NSTATS = 2 };
static const struct schema stats_schema = { "status", cols, NCOLS, 0 };
static const struct schema plain_schema = { "status", cols, NCOLS - NSTATS, 0 };

/* One line of the answer: a program, and the place where it was met if it was. */
struct entry {
	struct found at;
	char interface[IF_NAMESIZE];
	struct find_prog prog;
	uint64_t runs, ns; /* before the time that is measured */
};

struct entries {
	struct entry *at;
	size_t n, room;
};

static int add(struct entries *e, const struct found *f, const char *interface)
{
	struct entry new = { .at = *f };
	void *more;

	/* Gone since it was seen: not there. */
	if (find_prog(f->prog_id, &new.prog))
		return 0;
	more = grow(e->at, e->n, &e->room, sizeof(*e->at));
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

static int gather_hooks(struct entries *e)
{
	struct link_list links = { 0 };
	struct nl nl = { 0 };
	int rc = nl_open(&nl, 0);

	if (!rc)
		rc = link_list(&nl, &links);
	for (size_t i = 0; i < links.n && !rc; i++) {
		struct found_list list = { 0 };

		rc = find_attached(&nl, &links.at[i], &list);
		for (size_t j = 0; j < list.n && !rc; j++)
			rc = add(e, &list.at[j], links.at[i].name);
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

/* Ours that are at no hook of this namespace: another namespace's, or a tracing command's. */
static int gather_rest(struct entries *e, bool all)
{
	uint32_t id = 0;
	int rc;

	while (!(rc = bpf_next_id(BPF_KIND_PROG, id, &id))) {
		struct found f = { .prog_id = id };
		struct find_prog prog;

		if (is_listed(e, id) || find_prog(id, &prog))
			continue;
		rc = all || find_is_ours(&prog) ? add(e, &f, NULL) : 0;
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

	if (type < sizeof(names) / sizeof(*names) && names[type])
		return names[type];
	return "another";
}

static const char *held_by(const struct entry *e)
{
	if (!e->interface[0])
		return "elsewhere";
	return find_is_live(&e->at) ? "a process" : "installed";
}

static int put(struct sink *sink, const struct entry *e)
{
	struct buf maps = { 0 };
	struct status_rec rec = {
		.program = e->at.prog_id,
		.name = e->prog.info.name,
		.owner = find_is_ours(&e->prog) ? "sonde" : "other",
		.type = type_name(e->prog.info.type),
		.held = held_by(e),
		.link = e->at.link_id,
		.memory = find_memory(e->at.prog_id, &e->prog),
	};
	struct find_prog now;
	int rc;

	for (uint32_t i = 0; i < e->prog.nmaps; i++)
		buf_printf(&maps, "%s%u", i ? "," : "", e->prog.maps[i]);
	buf_char(&maps, '\0');
	rec.maps = maps.data;
	if (e->interface[0]) {
		rec.interface = e->interface;
		rec.direction = e->at.ingress ? "in" : "out";
		rec.hook = hook_name(e->at.hook);
	}
	if (!find_prog(e->at.prog_id, &now)) {
		rec.runs = now.info.run_cnt - e->runs;
		rec.mean = rec.runs ? (now.info.run_time_ns - e->ns) / rec.runs : 0;
	}
	rc = sink_row(sink, &rec);
	buf_free(&maps);
	return rc;
}

static int show(const struct entries *e, const struct status_opts *o)
{
	struct sink *sink = sink_new((enum sink_format)o->format, STDOUT_FILENO, false);
	int rc;

	if (!sink)
		return fail_errno(-ENOMEM, "output");
	rc = sink_begin(sink, o->stats ? &stats_schema : &plain_schema, NULL);
	for (size_t i = 0; i < e->n && !rc; i++)
		rc = put(sink, &e->at[i]);
	if (!rc && e->n)
		rc = sink_end(sink);
	if (!rc && !e->n)
		rc = sink_line(sink,
			       "nothing of sonde's is in this kernel, and no other program is at "
			       "an interface here");
	sink_free(sink);
	return rc ? fail_errno(rc, "standard output") : 0;
}

static int look(const struct status_opts *o)
{
	struct entries e = { 0 };
	int rc, timing = o->stats ? bpf_enable_stats() : 0;

	if (timing < 0)
		return fail_errno(timing, "timing BPF programs (kernel.bpf_stats_enabled)");
	rc = gather_hooks(&e);
	if (!rc)
		rc = gather_rest(&e, o->all);
	if (rc)
		fail_errno(rc, "looking for BPF programs");
	if (!rc && o->stats)
		wait_for(0, clock_mono() + (o->duration ? o->duration : NS_PER_S));
	if (!rc)
		rc = show(&e, o);
	if (timing)
		close(timing);
	free(e.at);
	return rc;
}

static int run(int argc, char **argv)
{
	struct status_opts o = { 0 };
	char names[64];
	int rc;

	rc = cmd_parse(&spec, &o, argc, argv);
	if (rc)
		return rc > 0 ? 0 : rc;
	if (*priv_missing(PRIV(CAP_SYS_ADMIN), names, sizeof(names)))
		return fail(-EPERM, "looking up BPF programs needs %s: run as root", names);
	rc = cmd_netns(o.netns);
	if (rc)
		return rc;
	rc = wait_open();
	if (rc)
		return fail_errno(rc, "signals");
	return look(&o);
}

const struct command cmd_status = { &spec, run };
