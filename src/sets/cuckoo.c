/* SPDX-License-Identifier: MIT */
/* Cuckoo hashing: an item whose two buckets are full displaces another item, which moves to its
 * other bucket, and so on. */
#include "sets/cuckoo.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include "bpf/set.h"

enum { MOVES_MAX = 1000 };

static uint32_t *bucket_at(const struct cuckoo *c, uint32_t i)
{
	return c->at + (size_t)i * c->slots;
}

static bool put_in_bucket(const struct cuckoo *c, uint32_t i, uint32_t item)
{
	uint32_t *at = bucket_at(c, i);

	for (unsigned int s = 0; s < c->slots; s++)
		if (!at[s]) {
			at[s] = item + 1;
			return true;
		}
	return false;
}

/* Places an item whose first bucket is full. Returns 0, or -EAGAIN after too many moves. */
static int displace_item(const struct cuckoo *c, uint32_t item)
{
	uint32_t at = set_second_bucket(c->hashes[item], c->buckets), victim = 1, displaced;

	for (int i = 0; i < MOVES_MAX; i++) {
		uint32_t *slot;

		if (put_in_bucket(c, at, item))
			return 0;
		/* Pseudo-random, the same in every run (a linear congruential generator). */
		victim = victim * 1664525 + 1013904223;
		slot = &bucket_at(c, at)[(victim >> 16) % c->slots];
		displaced = *slot - 1;
		*slot = item + 1;
		item = displaced;
		at = at == set_first_bucket(c->hashes[item], c->buckets)
			     ? set_second_bucket(c->hashes[item], c->buckets)
			     : set_first_bucket(c->hashes[item], c->buckets);
	}
	return -EAGAIN;
}

uint32_t cuckoo_next_size(uint32_t buckets)
{
	return buckets + buckets / 8 + 1;
}

int cuckoo_fill(struct cuckoo *c)
{
	uint32_t *unplaced = malloc(((size_t)c->n + 1) * sizeof(*unplaced)), nunplaced = 0;
	int rc = 0;

	c->at = calloc((size_t)c->buckets * c->slots, sizeof(*c->at));
	if (!unplaced || !c->at)
		rc = -ENOMEM;
	for (uint32_t i = 0; i < c->n && !rc; i++)
		if (!put_in_bucket(c, set_first_bucket(c->hashes[i], c->buckets), i))
			unplaced[nunplaced++] = i;
	for (uint32_t i = 0; i < nunplaced && !rc; i++)
		rc = displace_item(c, unplaced[i]);
	free(unplaced);
	if (rc)
		cuckoo_close(c);
	return rc;
}

void cuckoo_close(struct cuckoo *c)
{
	free(c->at);
	c->at = NULL;
}
