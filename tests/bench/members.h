/* SPDX-License-Identifier: MIT */
/* What the benchmarks' sets have in them: addresses by number (sets.h), or prefixes of these. */
#ifndef TESTS_BENCH_MEMBERS_H
#define TESTS_BENCH_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "filter/set.h"
#include "tests/bench/sets.h"

/* addresses: whole ones alone; else prefixes of many lengths, of which some are in others. */
struct members {
	uint32_t n;
	enum set_family family;
	bool addresses;
};

/* The i-th, as an LPM trie's key: zero behind its bits. The i-th address is in it. */
void member_make_key(const struct members *m, uint32_t i, struct sets_key *key);
/* All as text, with this behind each but the last. */
void members_put_text(const struct members *m, const char *separator, struct buf *out);

/* Put them into a map of the kernel's: a trie with struct bpf_lpm_trie_key, or a hash with
 * addresses alone, values of a byte. 0 or -errno. */
int members_fill(const struct members *m, int fd, bool trie);

#endif
