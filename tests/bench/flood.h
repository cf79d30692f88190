/* SPDX-License-Identifier: MIT */
/* Contract of the benchmark's packet generator: its configuration and counters. */
#ifndef TESTS_BENCH_FLOOD_H
#define TESTS_BENCH_FLOOD_H

#include <linux/types.h>

enum {
	FLOOD_BURST = 32,
	FLOOD_PORT = 20000, /* UDP destination port */
	FLOOD_PORT_MATCH = 20053,
	FLOOD_SLICE = 4096, /* packets in one time measurement */
	FLOOD_SLICES = 512,
};

struct flood_conf {
	__u32 ifindex;      /* the interface that sends */
	__u32 match_every;  /* one of so many packets goes to FLOOD_PORT_MATCH; 0: none */
	__u64 ns_per_burst; /* 0: as fast as possible */
	/* sources: packets come from the addresses with these numbers (sets.h), stride apart, so
	 * that caches cannot predict the next one. 0: from a few addresses in turn. */
	__u32 sources, stride;
	__u32 slices; /* 1: fill map `slices` */
	__u32 pad;
};
_Static_assert(sizeof(struct flood_conf) == 32, "flood_conf is a contract");

/* Value of map `counts` (array of one). */
struct flood_counts {
	__u64 sent;
	__u64 due;    /* time of the next burst, CLOCK_MONOTONIC ns */
	__u32 left;   /* packets left in the burst */
	__u32 source; /* number of the next source */
	__u64 slice;  /* start of the current slice, CLOCK_MONOTONIC ns */
};
_Static_assert(sizeof(struct flood_counts) == 32, "flood_counts is a contract");

/* Value of map `slices` (array of one): nanoseconds of the last slices, slice n at n %
 * FLOOD_SLICES. Short slices show which of them were disturbed. */
struct flood_slices {
	__u64 n;
	__u64 ns[FLOOD_SLICES];
};
_Static_assert(sizeof(struct flood_slices) == 8 + 8 * FLOOD_SLICES, "flood_slices is a contract");

#endif
