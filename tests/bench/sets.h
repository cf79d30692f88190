/* SPDX-License-Identifier: MIT */
/* Contract of the sets' benchmark: which addresses are looked up, and which ones a set has. */
#ifndef TESTS_BENCH_SETS_H
#define TESTS_BENCH_SETS_H

#include <linux/types.h>

enum { SETS_LOOKUPS = 64 }; /* of one run of the program */

struct sets_conf {
	__u32 from, n; /* addresses are of numbers drawn from these */
};

struct sets_state {
	__u64 x, found;
};

/* An LPM trie's key, and what the stub is called with. */
struct sets_key {
	__u32 bits;
	__u32 addr[4];
};

/* Different for every number, with nothing regular in it. */
static inline __u32 sets_mix(__u32 i)
{
	i ^= i >> 16;
	i *= 0x85ebca6b;
	i ^= i >> 13;
	i *= 0xc2b2ae35;
	return i ^ i >> 16;
}

/* The i-th address: of IPv4 the first word, of IPv6 all. */
static inline void sets_address(__u32 i, __u32 addr[4])
{
	__u32 mixed = sets_mix(i + 1);

	addr[0] = mixed;
	addr[1] = mixed * 0x9e3779b1;
	addr[2] = mixed ^ 0x5bd1e995;
	addr[3] = mixed + i;
}

#endif
