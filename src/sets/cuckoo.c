/* SPDX-License-Identifier: MIT */
/* Items into buckets of a fixed size, of which each has two to choose from: an item that finds both
 * full takes the place of another one, which goes to its own other bucket, and so on. */
#include <errno.h>
#include <stdlib.h>
#include "sets/set_table.h"

enum { MOVES_MAX = 1000 };

static uint32_t *bucket(const struct place *p, uint32_t i)
{
	return p->at + (size_t)i * p->slots;
}

static bool put(const struct place *p, uint32_t i, uint32_t item)
{
	uint32_t *at = bucket(p, i);

	for (unsigned int s = 0; s < p->slots; s++)
		if (!at[s]) {
			at[s] = item + 1;
			return true;
		}
	return false;
}

static int move(const struct place *p, uint32_t item)
{
	uint32_t at = set_second(p->hashes[item], p->buckets), victim = 1, taken;

	for (int i = 0; i < MOVES_MAX; i++) {
		uint32_t *slot;

		if (put(p, at, item))
			return 0;
		/* By chance, but each time the same. */
		victim = victim * 1664525 + 1013904223;
		slot = &bucket(p, at)[(victim >> 16) % p->slots];
		taken = *slot - 1;
		*slot = item + 1;
		item = taken;
		at = at == set_first(p->hashes[item], p->buckets)
			     ? set_second(p->hashes[item], p->buckets)
			     : set_first(p->hashes[item], p->buckets);
	}
	return -EAGAIN;
}

uint32_t cuckoo_grow(uint32_t buckets)
{
	return buckets + buckets / 8 + 1;
}

int cuckoo_place(struct place *p)
{
	uint32_t *left = malloc(((size_t)p->n + 1) * sizeof(*left)), nleft = 0;
	int rc = 0;

	p->at = calloc((size_t)p->buckets * p->slots, sizeof(*p->at));
	if (!left || !p->at)
		rc = -ENOMEM;
	for (uint32_t i = 0; i < p->n && !rc; i++)
		if (!put(p, set_first(p->hashes[i], p->buckets), i))
			left[nleft++] = i;
	for (uint32_t i = 0; i < nleft && !rc; i++)
		rc = move(p, left[i]);
	free(left);
	if (rc)
		cuckoo_close(p);
	return rc;
}

void cuckoo_close(struct place *p)
{
	free(p->at);
	p->at = NULL;
}
