/* SPDX-License-Identifier: MIT */
/* Cuckoo hashing: items in buckets of a fixed number of slots, each in one of its two buckets. */
#ifndef SETS_CUCKOO_H
#define SETS_CUCKOO_H

#include <stdint.h>

/* Items in buckets of so many slots, each in one of the two that its hash says. */
struct cuckoo {
	const uint64_t *hashes;
	uint32_t n;
	unsigned int slots;
	uint32_t buckets;
	uint32_t *at; /* by bucket and slot: an item + 1; 0, which are the last of a bucket: none */
};
/* 0, -ENOMEM, or -EAGAIN: it takes more buckets. Most are in their first. */
int cuckoo_fill(struct cuckoo *c);
/* The buckets to begin with, and if those do not do. */
uint32_t cuckoo_next_size(uint32_t buckets);
void cuckoo_close(struct cuckoo *c);

#endif
