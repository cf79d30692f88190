/* SPDX-License-Identifier: MIT */
/* IPv6 prefixes as a table: a search tree of their lengths, and buckets of prefixes and markers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/cursor.h"
#include "sets/cuckoo.h"
#include "sets/set_table.h"

enum { PREFIX_SIZE = 17, BITS = 128, LINES_MAX = 1 << 25 };

struct item {
	uint64_t high, low;
	uint8_t bits;
	bool end;
};

struct builder {
	struct item *items;
	size_t n, room;
	uint8_t lengths[BITS + 1]; /* by prefix length: the length as which it is stored */
	struct set6_tree tree;
	size_t markers[BITS +
		       1]; /* by length: index of the last marker in items, plus 1; 0: none */
	uint64_t *hashes;
	struct cuckoo cuckoo;
	struct set_table table;
};

static uint64_t be64_at(const uint8_t *at)
{
	return (uint64_t)be32_at(at) << 32 | be32_at(at + 4);
}

/* Returns the first bits of an item. */
static struct item cut_item(const struct item *a, unsigned int bits)
{
	struct item c = { .bits = (uint8_t)bits };

	c.high = a->high & UINT64_MAX << (bits < 64 ? 64 - bits : 0);
	if (bits > 64)
		c.low = a->low & UINT64_MAX << (128 - bits);
	return c;
}

static int add_item(struct builder *b, struct item item)
{
	struct item *at = array_grow(b->items, b->n, &b->room, sizeof(*at));

	if (!at)
		return -ENOMEM;
	b->items = at;
	at[b->n++] = item;
	return 0;
}

/* Adds a prefix, and a marker for each shorter length that the search tries before its own.
 * Prefixes are sorted, so those that share a marker are adjacent. */
static int add_prefix(struct builder *b, struct item item)
{
	uint32_t k = 1;
	int rc = 0;

	for (; b->tree.at[k] != item.bits && !rc; k = k * 2 + (item.bits > b->tree.at[k])) {
		unsigned int bits = b->tree.at[k];
		struct item marker = cut_item(&item, bits);
		size_t last = b->markers[bits];

		if (bits > item.bits || (last && b->items[last - 1].high == marker.high &&
					 b->items[last - 1].low == marker.low))
			continue;
		rc = add_item(b, marker);
		b->markers[bits] = b->n;
	}
	item.end = true;
	return rc ? rc : add_item(b, item);
}

/* Adds a prefix, split into prefixes of the length as which it is stored. */
static int add_parts(struct builder *b, struct item item)
{
	unsigned int bits = b->lengths[item.bits];
	uint64_t parts = UINT64_C(1) << (bits - item.bits);
	int rc = 0;

	for (uint64_t i = 0; i < parts && !rc; i++) {
		struct item part = item;

		part.bits = (uint8_t)bits;
		if (bits <= 64)
			part.high |= i << (64 - bits);
		else
			part.low |= i << (128 - bits);
		rc = add_prefix(b, part);
	}
	return rc;
}

static int add_prefixes(struct builder *b, const struct set_prefixes *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->n && !rc; i++) {
		const uint8_t *at = p->at + i * PREFIX_SIZE;
		struct item item = { .high = be64_at(at), .low = be64_at(at + 8), .bits = at[16] };

		rc = add_parts(b, item);
	}
	return rc;
}

/* Fills the subtree at k with sorted lengths, from left to right. Returns the unused lengths. */
static const uint8_t *fill_tree(struct set6_tree *tree, const uint8_t *lengths, size_t n, size_t k)
{
	if (k > n)
		return lengths;
	lengths = fill_tree(tree, lengths, n, k * 2);
	tree->at[k] = *lengths++;
	return fill_tree(tree, lengths, n, k * 2 + 1);
}

/* Returns the length as which prefixes of `bits` bits are stored: their own or, in a set with more
 * lengths than the tree holds, the next even one from 4 on. */
static uint8_t length_for(int bits, bool many)
{
	if (many)
		return (uint8_t)(bits < 4 ? 4 : bits + bits % 2);
	return (uint8_t)(bits ? bits : 1);
}

static size_t list_lengths(struct builder *b, const bool *seen, bool many, uint8_t *list)
{
	bool used[BITS + 1] = { false };
	size_t n = 0;

	for (int bits = 0; bits <= BITS; bits++) {
		b->lengths[bits] = length_for(bits, many);
		used[b->lengths[bits]] |= seen[bits];
	}
	for (int bits = 0; bits <= BITS; bits++)
		if (used[bits])
			list[n++] = (uint8_t)bits;
	return n;
}

static void make_tree(struct builder *b, const struct set_prefixes *p)
{
	bool seen[BITS + 1] = { false };
	uint8_t list[BITS + 1];
	size_t n;

	for (size_t i = 0; i < p->n; i++)
		seen[p->at[i * PREFIX_SIZE + 16]] = true;
	n = list_lengths(b, seen, false, list);
	if (n > SET6_PLACES)
		n = list_lengths(b, seen, true, list);
	fill_tree(&b->tree, list, n, 1);
	b->tree.at[0] = SET6_PLACES;
}

static void put_item(struct builder *b, uint32_t bucket, int slot, uint32_t i)
{
	struct set6_line *buckets = (struct set6_line *)(b->table.at + SET6_BASE);
	struct set6_line *line = &buckets[bucket];
	const struct item *item = &b->items[i];
	uint32_t first = set_first_bucket(b->hashes[i], b->cuckoo.buckets);

	line->high[slot] = item->high;
	line->low[slot] = item->low;
	line->bits[slot] = item->bits;
	line->ends |= (uint8_t)(item->end << slot);
	if (first != bucket)
		buckets[first].spilled = 1;
}

static int fill_table(struct builder *b)
{
	struct set_head head = { .magic = SET_MAGIC,
				 .version = SET_VERSION,
				 .family = 6,
				 .base = SET6_BASE,
				 .buckets = b->cuckoo.buckets };

	head.lines = b->table.n = head.base + head.buckets;
	b->table.at = calloc(head.lines, sizeof(*b->table.at));
	if (!b->table.at)
		return -ENOMEM;
	memcpy(b->table.at, &head, sizeof(head));
	memcpy(b->table.at + SET_HEAD_LINES, &b->tree, sizeof(b->tree));
	for (uint32_t i = 0; i < b->cuckoo.buckets; i++)
		for (int s = 0; s < SET6_SLOTS && b->cuckoo.at[(size_t)i * SET6_SLOTS + s]; s++)
			put_item(b, i, s, b->cuckoo.at[(size_t)i * SET6_SLOTS + s] - 1);
	return 0;
}

static int place_items(struct builder *b)
{
	int rc;

	if (b->n > LINES_MAX)
		return -E2BIG;
	b->hashes = malloc((b->n + 1) * sizeof(*b->hashes));
	if (!b->hashes)
		return -ENOMEM;
	for (size_t i = 0; i < b->n; i++)
		b->hashes[i] = set6_hash(b->items[i].high, b->items[i].low, b->items[i].bits);
	b->cuckoo = (struct cuckoo){ .hashes = b->hashes,
				     .n = (uint32_t)b->n,
				     .slots = SET6_SLOTS,
				     .buckets = (uint32_t)b->n / 2 + 1 };
	while ((rc = cuckoo_fill(&b->cuckoo)) == -EAGAIN)
		b->cuckoo.buckets = cuckoo_next_size(b->cuckoo.buckets);
	return rc;
}

int set6_build(const struct set_prefixes *p, struct set_table *out)
{
	struct builder b = { 0 };
	int rc;

	make_tree(&b, p);
	rc = add_prefixes(&b, p);
	if (!rc)
		rc = place_items(&b);
	if (!rc)
		rc = fill_table(&b);
	cuckoo_close(&b.cuckoo);
	free(b.hashes);
	free(b.items);
	if (!rc)
		*out = b.table;
	return rc;
}

int set6_read(const struct set_table *l, struct set_prefixes *out)
{
	struct set_head h;

	if (!l->n)
		return -EINVAL;
	h = set_table_head(l);
	if (h.magic != SET_MAGIC || h.version != SET_VERSION || h.family != 6 || h.base > l->n ||
	    h.buckets > l->n - h.base)
		return -EINVAL;
	for (size_t i = 0; i < (size_t)h.buckets * SET6_SLOTS; i++) {
		const struct set6_line *line =
			(const struct set6_line *)&l->at[h.base + i / SET6_SLOTS];
		size_t slot = i % SET6_SLOTS;
		uint64_t halves[] = { line->high[slot], line->low[slot] };
		uint8_t *at;

		if (!(line->ends >> slot & 1) || line->bits[slot] > BITS)
			continue;
		at = array_grow(out->at, out->n, &out->room, PREFIX_SIZE);
		if (!at)
			return -ENOMEM;
		out->at = at;
		at += out->n++ * PREFIX_SIZE;
		for (int k = 0; k < 16; k++)
			at[k] = (uint8_t)(halves[k / 8] >> (56 - k % 8 * 8));
		at[16] = line->bits[slot];
	}
	return 0;
}
