/* SPDX-License-Identifier: MIT */
/* The sections of the benchmark, and the results that are compared with goals. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include "obj/obj.h"
#include "sys/netlink.h"
#include "tests/bench/run.h"
#include "tests/bench/series.h"

enum { STEPS_MAX = 2, ARGS_MAX = 10 };

/* All of a group do the same work. Ratios are to the first of the group. */
enum group { GROUP_XDP, GROUP_BOTH, GROUP_LIVE, GROUP_NONE };

/* How a contender loads and attaches the gate: one or two commands. */
struct contender {
	const char *name;
	enum group group;
	const char *steps[STEPS_MAX][ARGS_MAX];
	const char *object;  /* another file that it needs, or NULL */
	const char *package; /* the package that has it, NULL: sonde's build */
	bool missing;
	struct series cpu_ms, wall_ms;
	long peak_kib;
};
enum {
	SONDE_XDP,
	BPFTOOL_XDP,
	LIBBPF_DYNAMIC,
	LIBBPF_STATIC,
	SONDE_BOTH,
	BPFTOOL_BOTH,
	SONDE_LIVE,
	SONDE_NONE,
	CONTENDERS
};
extern struct contender contenders[CONTENDERS];

/* Each measures and prints one section. 0 or -errno. Reports errors. */
int bench_exec(struct nl *nl, unsigned int runs);
int bench_memory(struct nl *nl);
int bench_size(void);
int bench_packets(unsigned int rounds);

/* Loads programs of the gate (a bit for each, 0: all) as `sonde count` does for an Ethernet device.
 */
int bench_load_gate(struct obj *gate, uint32_t progs);

/* Results for the goals: the kernel's share of loading the XDP program in ms, the size of the sonde
 * binary in KiB, and the largest difference from an empty XDP program in ns, for packets of common
 * protocols and of others. */
extern double kernel_xdp_ms, size_sonde_kib, packet_common_ns, packet_other_ns;

#endif
