/* SPDX-License-Identifier: MIT */
/* Contract of the lookup benchmark: the looked-up addresses, and the members of sets. */
#ifndef TESTS_BENCH_SETS_H
#define TESTS_BENCH_SETS_H

#include <linux/types.h>

enum { SETS_LOOKUPS = 64 }; /* lookups in one run of the program */

struct sets_conf {
	__u32 from, n; /* addresses have numbers from .. from + n - 1 */
};

struct sets_state {
	__u64 x, found;
};

/* The key of an LPM trie, and the argument of the stub. */
struct sets_key {
	__u32 bits;
	__u32 addr[4];
};

/* A bijection without regular patterns. */
static inline __u32 sets_mix(__u32 i)
{
	i ^= i >> 16;
	i *= 0x85ebca6b;
	i ^= i >> 13;
	i *= 0xc2b2ae35;
	return i ^ i >> 16;
}

/* Address i: IPv4 uses the first word, IPv6 all. */
static inline void sets_address(__u32 i, __u32 addr[4])
{
	__u32 mixed = sets_mix(i + 1);

	addr[0] = mixed;
	addr[1] = mixed * 0x9e3779b1;
	addr[2] = mixed ^ 0x5bd1e995;
	addr[3] = mixed + i;
}

#endif
