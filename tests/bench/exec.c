/* SPDX-License-Identifier: MIT */
/* Measures the time from exec to attached, and the memory: sonde and its peers on a new veth pair.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/clock.h"
#include "base/err.h"
#include "gen/gate.gen.h"
#include "sys/link.h"
#include "sys/netns.h"
#include "tests/bench/bench.h"

#define IFACE       "bench0"
#define PIN         "/sys/fs/bpf/sonde_bench"
#define OBJECT      "bpf/gate.bpf.o"
#define XDP_OBJECT  "tests/bench/gate_xdp.bpf.o"
#define BOTH_OBJECT "tests/bench/gate_both.bpf.o"

/* bpftool loads all programs of an object and cannot set a conf. It gets objects with only the
 * programs and the conf that sonde loads. libbpf can do both, and gets the complete object. */
struct contender contenders[CONTENDERS] = {
	[SONDE_XDP] = {
		.name = "sonde count --install --in",
		.group = GROUP_XDP,
		.steps = { { "./sonde", "count", "--install", "--in", "-i", IFACE } },
	},
	[BPFTOOL_XDP] = {
		.name = "bpftool prog load, net attach",
		.group = GROUP_XDP,
		.steps = { { "bpftool", "prog", "load", XDP_OBJECT, PIN },
			   { "bpftool", "net", "attach", "xdp", "pinned", PIN, "dev", IFACE } },
		.object = XDP_OBJECT,
		.package = "bpftool",
	},
	[LIBBPF_DYNAMIC] = {
		.name = "libbpf, shared",
		.group = GROUP_XDP,
		.steps = { { "./tests/bench/peer_libbpf", OBJECT, IFACE } },
		.object = OBJECT,
		.package = "libbpf-dev",
	},
	[LIBBPF_STATIC] = {
		.name = "libbpf, static",
		.group = GROUP_XDP,
		.steps = { { "./tests/bench/peer_libbpf_static", OBJECT, IFACE } },
		.object = OBJECT,
		.package = "libbpf-dev",
	},
	[SONDE_BOTH] = {
		.name = "sonde count --install",
		.group = GROUP_BOTH,
		.steps = { { "./sonde", "count", "--install", "-i", IFACE } },
	},
	[BPFTOOL_BOTH] = {
		.name = "bpftool prog load, net attach",
		.group = GROUP_BOTH,
		.steps = { { "bpftool", "prog", "load", BOTH_OBJECT, PIN },
			   { "bpftool", "net", "attach", "xdp", "pinned", PIN, "dev", IFACE } },
		.object = BOTH_OBJECT,
		.package = "bpftool",
	},
	[SONDE_LIVE] = {
		.name = "sonde count, live for 3 s",
		.group = GROUP_LIVE,
		.steps = { { "./sonde", "count", "-d", "3s", "-i", IFACE } },
	},
	[SONDE_NONE] = {
		.name = "sonde --version",
		.group = GROUP_NONE,
		.steps = { { "./sonde", "--version" } },
	},
};

static const char *const group_titles[] = {
	[GROUP_XDP] = "XDP: load and attach one program",
	[GROUP_BOTH] = "XDP and tc: load two programs; sonde attaches both, bpftool only XDP",
	[GROUP_LIVE] = "XDP and tc, live",
	[GROUP_NONE] = "a process without work, for comparison",
};

/* The kernel's share: creating the maps and verifying the programs, the same for every loader. */
static const struct {
	uint32_t progs;
	double *median;
} loads[] = {
	[GROUP_XDP] = { 1u << GATE_PROG_SONDE_GATE_XDP, &kernel_xdp_ms },
	[GROUP_BOTH] = { 1u << GATE_PROG_SONDE_GATE_XDP | 1u << GATE_PROG_SONDE_GATE_OUT, NULL },
};
enum { LOADS = ARRAY_LEN(loads) };
static struct series kernel_load_ms[LOADS];
double kernel_xdp_ms;

/* Each run needs a pair without history. */
static int recreate_veth(struct nl *nl)
{
	struct link link;
	int ns, rc;

	if (!link_get(nl, IFACE, 0, &link))
		link_del(nl, link.ifindex);
	ns = netns_current();
	if (ns < 0)
		return fail_errno(ns, "network namespace");
	rc = link_add_veth(nl, IFACE, "bench1", ns);
	close(ns);
	if (!rc)
		rc = link_get(nl, "bench1", 0, &link);
	if (!rc)
		rc = link_up(nl, link.ifindex);
	if (!rc)
		rc = link_get(nl, IFACE, 0, &link);
	if (!rc)
		rc = link_up(nl, link.ifindex);
	return rc ? fail_errno(rc, "cannot make a veth pair") : 0;
}

static int check_attached(struct nl *nl, const struct contender *c)
{
	struct link link;
	int rc = link_get(nl, IFACE, 0, &link);

	if (rc)
		return fail_errno(rc, "%s", IFACE);
	if (!link.xdp_native)
		return fail(-EIO, "%s: not attached at native XDP", c->name);
	return 0;
}

static int run_once(struct nl *nl, struct contender *c, bool memory, bool keep)
{
	double cpu_ms = 0, wall_ms = 0;
	struct run run;
	int rc = recreate_veth(nl);

	for (int i = 0; i < STEPS_MAX && c->steps[i][0] && !rc; i++) {
		rc = run_program(c->steps[i], memory, &run);
		cpu_ms += run.cpu_ms;
		wall_ms += run.wall_ms;
		if (run.peak_kib > c->peak_kib)
			c->peak_kib = run.peak_kib;
	}
	unlink(PIN);
	if (!rc && c->group != GROUP_LIVE && c->group != GROUP_NONE)
		rc = check_attached(nl, c);
	if (!rc && keep) {
		series_add(&c->cpu_ms, cpu_ms);
		series_add(&c->wall_ms, wall_ms);
	}
	return rc;
}

static int load_once(unsigned int group, bool keep)
{
	struct obj gate = { 0 };
	uint64_t start = clock_read(CLOCK_THREAD_CPUTIME_ID);
	int rc = bench_load_gate(&gate, loads[group].progs);

	if (!rc && keep)
		series_add(&kernel_load_ms[group],
			   (double)(clock_read(CLOCK_THREAD_CPUTIME_ID) - start) / 1e6);
	obj_close(&gate);
	return rc;
}

static void print_times(const struct contender *c, const struct contender *first)
{
	struct spread cpu = series_spread(&c->cpu_ms), wall = series_spread(&c->wall_ms);

	printf("  %-32s %7.2f %7.2f %7.2f   %7.2f %7.2f %7.2f", c->name, cpu.median, cpu.min,
	       cpu.p90, wall.median, wall.min, wall.p90);
	if (c->group == GROUP_NONE)
		printf("\n");
	else
		printf("   %6.2fx %6.2fx\n", cpu.median / series_spread(&first->cpu_ms).median,
		       wall.median / series_spread(&first->wall_ms).median);
}

/* Runs each contender once. Each round starts with another one. */
static int run_round(struct nl *nl, unsigned int round, bool keep)
{
	int rc = 0;

	for (unsigned int i = 0; i < CONTENDERS && !rc; i++) {
		struct contender *c = &contenders[(i + round) % CONTENDERS];

		if (!c->missing && c->group != GROUP_LIVE)
			rc = run_once(nl, c, false, keep);
	}
	for (unsigned int group = 0; group < LOADS && !rc; group++)
		rc = load_once(group, keep);
	return rc;
}

static void print_kernel_part(enum group group)
{
	struct spread cpu;

	if (group >= LOADS)
		return;
	cpu = series_spread(&kernel_load_ms[group]);
	printf("  %-32s %7.2f %7.2f %7.2f\n", "the kernel's share of loading", cpu.median, cpu.min,
	       cpu.p90);
	if (loads[group].median)
		*loads[group].median = cpu.median;
}

int bench_exec(struct nl *nl, unsigned int runs)
{
	const struct contender *first = NULL;
	int rc = 0;

	/* Round 0 warms the caches. Its results are not kept. */
	for (unsigned int round = 0; round <= runs && !rc; round++)
		rc = run_round(nl, round, round > 0);
	if (rc)
		return rc;
	printf("From exec to attached, on a new veth pair: from start to exit of all processes.\n"
	       "%u runs of each in turn, after one to warm up. CPU: user + system.\n\n"
	       "  %-32s %7s %7s %7s   %7s %7s %7s   %7s %7s\n",
	       runs, "", "CPU ms", "min", "p90", "wall ms", "min", "p90", "CPU", "wall");
	for (int i = 0; i < CONTENDERS; i++) {
		const struct contender *c = &contenders[i];

		if (c->missing || c->group == GROUP_LIVE)
			continue;
		if (!first || first->group != c->group) {
			first = c;
			printf(" %s\n", group_titles[c->group]);
			print_kernel_part(c->group);
		}
		print_times(c, first);
	}
	printf("\n");
	return 0;
}

int bench_memory(struct nl *nl)
{
	printf("Peak resident memory of a process, read from /proc at its exit (with the mapped\n"
	       "pages of shared libraries, without the kernel's memory for maps).\n\n"
	       "  %-32s %8s %8s\n",
	       "", "KiB", "ratio");
	for (int i = 0; i < CONTENDERS; i++) {
		struct contender *c = &contenders[i];
		int rc;

		if (c->missing)
			continue;
		rc = run_once(nl, c, true, false);
		if (rc)
			return rc;
		if (!c->peak_kib)
			return fail(-EIO, "%s: no peak memory in /proc", c->name);
		printf("  %-32s %8ld %7.2fx%s\n", c->name, c->peak_kib,
		       (double)c->peak_kib / (double)contenders[SONDE_XDP].peak_kib,
		       c->group == GROUP_BOTH ? "  XDP and tc" : "");
	}
	printf("\n");
	return 0;
}
