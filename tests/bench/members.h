/* SPDX-License-Identifier: MIT */
/* The members of the benchmarks' sets: addresses by number (sets.h), or prefixes of these. */
#ifndef TESTS_BENCH_MEMBERS_H
#define TESTS_BENCH_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "filter/set.h"
#include "tests/bench/sets.h"

/* addresses: only full addresses; otherwise prefixes of many lengths, some of which contain others.
 */
struct members {
	uint32_t n;
	enum set_family family;
	bool addresses;
};

/* Makes member i as the key of an LPM trie: bits after the prefix are zero. Address i is in it. */
void member_make_key(const struct members *m, uint32_t i, struct sets_key *key);
/* Appends all members as text, with a separator between them. */
void members_put_text(const struct members *m, const char *separator, struct buf *out);

/* Adds the members to a map of the kernel: a trie with struct bpf_lpm_trie_key, or a hash of
 * addresses. Values have one byte. 0 or -errno. */
int members_fill(const struct members *m, int fd, bool trie);

#endif
