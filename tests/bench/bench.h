/* SPDX-License-Identifier: MIT */
/* The parts of the benchmark: what each measures, and the numbers that are held to a promise. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include "obj/obj.h"
#include "sys/netlink.h"
#include "tests/bench/run.h"
#include "tests/bench/series.h"

enum { STEPS_MAX = 2, ARGS_MAX = 10 };

/* The same work for all of one group; ratios are to the group's first. */
enum group { GROUP_XDP, GROUP_BOTH, GROUP_LIVE, GROUP_NONE };

/* A way to have the gate on an interface: one or two commands. */
struct contender {
	const char *name;
	enum group group;
	const char *steps[STEPS_MAX][ARGS_MAX];
	const char *object;  /* a file that it needs besides, or NULL */
	const char *package; /* which brings it, for when it is not there */
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

/* Each measures and prints a section; 0 or -errno after saying why. */
int bench_exec(struct nl *nl, unsigned int runs);
int bench_memory(struct nl *nl);
int bench_size(void);
int bench_packets(unsigned int rounds);

/* Load programs (a bit each, 0: all) as `sonde count` does for an Ethernet device. */
int bench_load_gate(struct obj *gate, uint32_t progs);

/* For the verdicts: the kernel's part of loading the XDP program; KiB of the sonde binary; the
 * largest difference to an empty XDP program among the packets that have a counter of their own,
 * and among the rest, in ns. */
extern double kernel_xdp_ms, size_sonde_kib, packet_common_ns, packet_other_ns;

#endif
