/* SPDX-License-Identifier: MIT */
/* Contract of the benchmark's packet generator: what it sends, and how much it has sent. */
#ifndef TESTS_BENCH_FLOOD_H
#define TESTS_BENCH_FLOOD_H

#include <linux/types.h>

enum {
	FLOOD_BURST = 32,
	FLOOD_PORT = 20000, /* UDP's destination port */
	FLOOD_PORT_MATCH = 20053,
};

struct flood_conf {
	__u32 ifindex;      /* where the packets leave */
	__u32 match_every;  /* one in so many packets goes to the other port; 0: none */
	__u64 ns_per_burst; /* 0: as fast as it goes */
};
_Static_assert(sizeof(struct flood_conf) == 16, "flood_conf is a contract");

/* Value of map `counts` (array of one). */
struct flood_counts {
	__u64 sent;
	__u64 due;  /* when the next burst may leave, CLOCK_MONOTONIC */
	__u32 left; /* of the burst */
	__u32 pad;
};
_Static_assert(sizeof(struct flood_counts) == 24, "flood_counts is a contract");

#endif
