/* SPDX-License-Identifier: MIT */
/* Cuckoo hashing: items in buckets of a fixed number of slots, each in one of its two buckets. */
#ifndef SETS_CUCKOO_H
#define SETS_CUCKOO_H

#include <stdint.h>

/* hashes: one per item; set_first_bucket() and set_second_bucket() give an item's buckets. */
struct cuckoo {
	const uint64_t *hashes;
	uint32_t n;
	unsigned int slots;
	uint32_t buckets;
	uint32_t *at; /* by bucket and slot: item + 1; 0: free. Free slots are last in a bucket */
};
/* Allocates at and places all items, most of them in their first bucket. Returns 0, -ENOMEM, or
 * -EAGAIN if it needs more buckets. Call cuckoo_close() after success. */
int cuckoo_fill(struct cuckoo *c);
/* Returns the next number of buckets to try after -EAGAIN. */
uint32_t cuckoo_next_size(uint32_t buckets);
void cuckoo_close(struct cuckoo *c);

#endif
