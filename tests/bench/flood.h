/* SPDX-License-Identifier: MIT */
/* Contract of the benchmark's packet generator: what it sends, and how much it has sent. */
#ifndef TESTS_BENCH_FLOOD_H
#define TESTS_BENCH_FLOOD_H

#include <linux/types.h>

enum {
	FLOOD_BURST = 32,
	FLOOD_PORT = 20000, /* UDP's destination port */
	FLOOD_PORT_MATCH = 20053,
	FLOOD_SLICE = 4096, /* packets that one time is taken of */
	FLOOD_SLICES = 512,
};

struct flood_conf {
	__u32 ifindex;      /* where the packets leave */
	__u32 match_every;  /* one in so many packets goes to the other port; 0: none */
	__u64 ns_per_burst; /* 0: as fast as it goes */
	/* With sources packets come from the addresses of these numbers (sets.h), each time so many
	 * further: no cache is to guess the next one. 0: from few, one after the other. */
	__u32 sources, stride;
	__u32 slices; /* 1: map `slices` is kept */
	__u32 pad;
};
_Static_assert(sizeof(struct flood_conf) == 32, "flood_conf is a contract");

/* Value of map `counts` (array of one). */
struct flood_counts {
	__u64 sent;
	__u64 due;    /* when the next burst may leave, CLOCK_MONOTONIC */
	__u32 left;   /* of the burst */
	__u32 source; /* the next one's number */
	__u64 slice;  /* when the slice of now began, CLOCK_MONOTONIC */
};
_Static_assert(sizeof(struct flood_counts) == 32, "flood_counts is a contract");

/* Value of map `slices` (array of one): the last ones' nanoseconds, the n-th at n % FLOOD_SLICES.
 * Time is taken where packets are made, and often: what disturbs a few of them can be told. */
struct flood_slices {
	__u64 n;
	__u64 ns[FLOOD_SLICES];
};
_Static_assert(sizeof(struct flood_slices) == 8 + 8 * FLOOD_SLICES, "flood_slices is a contract");

#endif
