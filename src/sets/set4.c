/* SPDX-License-Identifier: MIT */
/* IPv4 prefixes as a table: two levels for /24 and shorter, buckets of single addresses for longer
 * ones; or buckets alone, if that takes less memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/cursor.h"
#include "sets/cuckoo.h"
#include "sets/set_table.h"

enum {
	PREFIX_SIZE = 5,
	SLASH16S = 65536,
	BUCKET_FILL = 5, /* words per bucket of 8, on average: with more, many buckets spill */
	KEY_BITS = 28,   /* prefix length of a word */
	LINES_MAX = 1 << 25,
};

enum {
	CODES_FILL = 10, /* codes per half line of 15, on average: with more, many overflow */
	HALF_SIZE = sizeof(struct set_line) / 2,
};

struct builder {
	const struct set_prefixes *p;
	uint8_t *kinds;  /* enum set4_kind of each /16 */
	uint32_t top;    /* blocks of level 2; 0: no levels */
	uint64_t *words; /* key << 16 | mask */
	uint64_t *hashes;
	uint32_t n;
	uint32_t codes; /* half lines; 0: no codes */
	struct set_line *code_lines;
	struct cuckoo cuckoo;
	struct set_table table;
};

static uint32_t addr_at(const struct builder *b, size_t i)
{
	return be32_at(b->p->at + i * PREFIX_SIZE);
}

static unsigned int bits_at(const struct builder *b, size_t i)
{
	return b->p->at[i * PREFIX_SIZE + 4];
}

/* Returns how many prefixes of this length a prefix of `bits` bits covers; 1 if it is longer. */
static uint32_t count_parts(unsigned int bits, unsigned int length)
{
	return bits < length ? UINT32_C(1) << (length - bits) : 1;
}

static uint32_t count_blocks(const uint8_t *kinds)
{
	bool seen[SET4_SOME] = { false };
	uint32_t n = 0;

	for (int i = 0; i < SLASH16S; i++)
		if (kinds[i] == SET4_SOME)
			n++;
		else
			seen[kinds[i]] = true;
	return n + seen[SET4_NONE] + seen[SET4_ALL];
}

/* Uses levels (b->top) only if that takes less memory, since lookups without them are faster.
 * Allocates the words. */
static int choose_form(struct builder *b)
{
	uint64_t all = 0, longer = 0, line = sizeof(struct set_line), levels;

	b->kinds = calloc(SLASH16S, 1);
	if (!b->kinds)
		return -ENOMEM;
	for (size_t i = 0; i < b->p->n; i++) {
		unsigned int bits = bits_at(b, i);

		memset(b->kinds + (addr_at(b, i) >> 16), bits > 16 ? SET4_SOME : SET4_ALL,
		       count_parts(bits, 16));
		all += count_parts(bits, KEY_BITS);
		longer += bits > 24 ? count_parts(bits, KEY_BITS) : 0;
	}
	b->top = count_blocks(b->kinds);
	levels = (SET4_TOP_LINES + b->top) * line;
	if (all * line / BUCKET_FILL <= levels + longer * line / BUCKET_FILL)
		b->top = 0;
	all = b->top ? longer : all;
	if (all / BUCKET_FILL > LINES_MAX)
		return -E2BIG;
	/* An upper limit: several prefixes may share a word. */
	b->words = malloc(((size_t)all + 1) * sizeof(*b->words));
	b->hashes = malloc(((size_t)all + 1) * sizeof(*b->hashes));
	return b->words && b->hashes ? 0 : -ENOMEM;
}

static void list_words(struct builder *b)
{
	for (size_t i = 0; i < b->p->n; i++) {
		uint32_t addr = addr_at(b, i), key = addr >> 4;
		unsigned int bits = bits_at(b, i);
		uint64_t mask =
			(UINT64_C(1) << count_parts(bits > KEY_BITS ? bits : KEY_BITS, 32)) - 1;

		if (b->top && bits <= 24)
			continue;
		for (uint32_t k = 0; k < count_parts(bits, KEY_BITS); k++) {
			if (!b->n || b->words[b->n - 1] >> 16 != key + k)
				b->words[b->n++] = (uint64_t)(key + k) << 16;
			b->words[b->n - 1] |= mask << (addr & 15);
		}
	}
}

/* Finds a code that no address of this half line has. One exists since the products skip some
 * codes. */
static uint16_t find_unused_code(uint32_t half, uint32_t codes)
{
	uint64_t begin = (uint64_t)half << 32;
	uint64_t at = (begin + codes - 1) / codes * codes - begin;
	uint16_t code = 0;

	for (; at >> 16 == code; at += codes)
		code++;
	return code;
}

/* Places codes by shifts, as lookups compare whole words: independent of the byte order. */
static void put_code(struct set_line *code_lines, uint32_t half, uint32_t slot, uint16_t code)
{
	__u64 *word = &code_lines[half / 2].word[half % 2 * SET4_HALF_WORDS + slot / 4];
	unsigned int shift = slot % 4 * 16;

	*word = (*word & ~((__u64)0xffff << shift)) | (__u64)code << shift;
}

/* Writes addresses as codes while their half lines have room. Leaves the others in b->words. */
static void put_codes(struct builder *b, uint8_t *used)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		uint64_t word = b->words[i];

		for (uint32_t k = 0; k < 16; k++) {
			uint64_t product =
				(uint64_t)set4_mix((uint32_t)(word >> 16 << 4) + k) * b->codes;
			uint32_t half = (uint32_t)(product >> 32);

			if (!(b->words[i] >> k & 1) || used[half] > SET4_CODES)
				continue;
			if (used[half]++ == SET4_CODES)
				continue;
			put_code(b->code_lines, half, used[half] - 1u, (uint16_t)(product >> 16));
			word &= ~(UINT64_C(1) << k);
		}
		if (word & 0xffff)
			b->words[left++] = word;
	}
	b->n = left;
	for (uint32_t half = 0; half < b->codes; half++) {
		for (uint32_t k = used[half]; k < SET4_CODES; k++)
			put_code(b->code_lines, half, k, find_unused_code(half, b->codes));
		if (used[half] > SET4_CODES)
			put_code(b->code_lines, half, SET4_CODES, SET4_MORE_CODES >> 48);
	}
}

/* Replaces words by codes if codes take less memory: cache misses dominate the time of a lookup. */
static int make_codes(struct builder *b)
{
	uint64_t addresses = 0, halves;
	uint8_t *used;

	for (uint32_t i = 0; i < b->n; i++)
		addresses += (uint64_t)__builtin_popcountll(b->words[i] & 0xffff);
	halves = addresses / CODES_FILL + 1;
	if (halves < SET4_CODES_MIN)
		halves = SET4_CODES_MIN;
	if (halves * HALF_SIZE * 5 / 4 > b->n / BUCKET_FILL * sizeof(struct set_line))
		return 0;
	b->codes = (uint32_t)halves;
	b->code_lines = calloc(halves / 2 + 1, sizeof(*b->code_lines));
	used = calloc(halves, 1);
	if (b->code_lines && used)
		put_codes(b, used);
	free(used);
	return b->code_lines && used ? 0 : -ENOMEM;
}

static void hash_words(struct builder *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		b->hashes[i] = set4_hash((uint32_t)(b->words[i] >> 16));
}

/* Writes a bucket's words to the slots that the seed in first selects. Returns false if two share a
 * slot. */
static bool seed_fits(const struct builder *b, const uint32_t *items, uint64_t first,
		      struct set_line *line)
{
	*line = (struct set_line){ 0 };
	for (int i = 0; i < SET4_SLOTS && items[i]; i++) {
		__u64 *word = &line->word[set4_slot(b->hashes[items[i] - 1], first)];

		if (*word)
			return false;
		*word = b->words[items[i] - 1];
	}
	line->word[0] |= first;
	return true;
}

static bool fill_bucket(const struct builder *b, uint32_t i, bool spilled, struct set_line *line)
{
	const uint32_t *items = b->cuckoo.at + (size_t)i * SET4_SLOTS;

	for (uint64_t seed = 0; seed < UINT64_C(1) << (63 - SET4_SEED_SHIFT); seed++)
		if (seed_fits(b, items, seed << SET4_SEED_SHIFT | (spilled ? SET4_SPILLED : 0),
			      line))
			return true;
	return false;
}

/* Marks buckets that have words in their second bucket. */
static void mark_spills(const struct cuckoo *c, bool *spilled)
{
	for (size_t i = 0; i < (size_t)c->buckets * c->slots; i++) {
		uint32_t first, item = c->at[i];

		if (!item)
			continue;
		first = set_first_bucket(c->hashes[item - 1], c->buckets);
		if (first != i / c->slots)
			spilled[first] = true;
	}
}

static int fill_buckets(const struct builder *b, struct set_line *to)
{
	bool *spilled = calloc(b->cuckoo.buckets, sizeof(*spilled));
	int rc = spilled ? 0 : -ENOMEM;

	if (spilled)
		mark_spills(&b->cuckoo, spilled);
	for (uint32_t i = 0; i < b->cuckoo.buckets && !rc; i++)
		if (!fill_bucket(b, i, spilled[i], &to[i]))
			rc = -EAGAIN;
	free(spilled);
	return rc;
}

static void set_kinds(uint32_t *block, uint32_t third, uint32_t n, enum set4_kind kind)
{
	for (; n--; third++)
		block[third / 16] |= (uint32_t)kind << third % 16 * 2;
}

static void fill_levels(const struct builder *b)
{
	uint16_t *first = (uint16_t *)(b->table.at + SET_HEAD_LINES);
	uint32_t shared[SET4_SOME], n = 0;

	for (int kind = SET4_NONE; kind < SET4_SOME; kind++) {
		shared[kind] = n;
		n += memchr(b->kinds, kind, SLASH16S) != NULL;
	}
	if (memchr(b->kinds, SET4_ALL, SLASH16S))
		set_kinds((uint32_t *)(b->table.at + SET4_BLOCKS + shared[SET4_ALL]), 0, 256,
			  SET4_ALL);
	for (int i = 0; i < SLASH16S; i++)
		first[i] = (uint16_t)(b->kinds[i] == SET4_SOME ? n++ : shared[b->kinds[i]]);
	for (size_t i = 0; i < b->p->n; i++) {
		uint32_t addr = addr_at(b, i), third = addr >> 8 & 255;
		uint32_t *block = (uint32_t *)(b->table.at + SET4_BLOCKS + first[addr >> 16]);
		unsigned int bits = bits_at(b, i);

		if (bits > 24 && !(block[third / 16] >> third % 16 * 2 & 3))
			set_kinds(block, third, 1, SET4_SOME);
		else if (bits > 16 && bits <= 24)
			set_kinds(block, third, count_parts(bits, 24), SET4_ALL);
	}
}

static int fill_table(struct builder *b)
{
	struct set_head head = { .magic = SET_MAGIC,
				 .version = SET_VERSION,
				 .family = 4,
				 .top = b->top,
				 .base = b->top ? SET4_BLOCKS + b->top : SET_HEAD_LINES,
				 .buckets = b->cuckoo.buckets,
				 .codes = b->codes };
	uint32_t code_lines = b->codes ? b->codes / 2 + 1 : 0;

	head.codes_base = head.base + head.buckets;
	head.lines = b->table.n = head.codes_base + code_lines;
	b->table.at = calloc(head.lines, sizeof(*b->table.at));
	if (!b->table.at)
		return -ENOMEM;
	memcpy(b->table.at, &head, sizeof(head));
	if (b->top)
		fill_levels(b);
	if (b->codes)
		memcpy(b->table.at + head.codes_base, b->code_lines,
		       code_lines * sizeof(*b->code_lines));
	return head.buckets ? fill_buckets(b, b->table.at + head.base) : 0;
}

int set4_build(const struct set_prefixes *p, struct set_table *out)
{
	struct builder b = { .p = p };
	int rc = choose_form(&b);

	if (!rc) {
		list_words(&b);
		rc = make_codes(&b);
		hash_words(&b);
	}
	b.cuckoo = (struct cuckoo){ .hashes = b.hashes, .n = b.n, .slots = SET4_SLOTS };
	b.cuckoo.buckets = b.n ? b.n / BUCKET_FILL + 1 : 0;
	do {
		if (!rc && b.n)
			rc = cuckoo_fill(&b.cuckoo);
		if (!rc)
			rc = fill_table(&b);
		cuckoo_close(&b.cuckoo);
		if (rc != -EAGAIN)
			break;
		set_table_close(&b.table);
		b.cuckoo.buckets = cuckoo_next_size(b.cuckoo.buckets);
		rc = 0;
	} while (true);
	free(b.code_lines);
	free(b.kinds);
	free(b.words);
	free(b.hashes);
	if (rc)
		set_table_close(&b.table);
	else
		*out = b.table;
	return rc;
}

static int add_prefix(struct set_prefixes *out, uint32_t addr, unsigned int bits)
{
	uint8_t *at = array_grow(out->at, out->n, &out->room, PREFIX_SIZE);

	if (!at)
		return -ENOMEM;
	out->at = at;
	at += out->n++ * PREFIX_SIZE;
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(addr >> (24 - 8 * i));
	at[4] = (uint8_t)bits;
	return 0;
}

static int read_block(const struct set_line *line, uint32_t addr, struct set_prefixes *out)
{
	const uint32_t *block = (const uint32_t *)line;
	bool whole = true;
	int rc = 0;

	for (int i = 0; i < 16; i++)
		whole = whole && block[i] == UINT32_MAX / 3 * SET4_ALL;
	if (whole)
		return add_prefix(out, addr, 16);
	for (uint32_t third = 0; third < 256 && !rc; third++)
		if ((block[third / 16] >> third % 16 * 2 & 3) == SET4_ALL)
			rc = add_prefix(out, addr | third << 8, 24);
	return rc;
}

static int read_word(uint64_t word, struct set_prefixes *out)
{
	uint32_t addr = set4_key(word) << 4, mask = word & 0xffff;
	int rc = 0;

	if (mask == 0xffff)
		return add_prefix(out, addr, KEY_BITS);
	for (uint32_t i = 0; i < 16 && !rc; i++)
		if (mask >> i & 1)
			rc = add_prefix(out, addr | i, 32);
	return rc;
}

/* Inverts an odd factor modulo 2^32 by Newton's method. */
static uint32_t invert_factor(uint32_t factor)
{
	uint32_t x = factor;

	for (int i = 0; i < 4; i++)
		x *= 2 - factor * x;
	return x;
}

static uint32_t unmix_addr(uint32_t mixed)
{
	mixed *= invert_factor(SET4_MIX_SECOND);
	mixed ^= mixed >> SET4_MIX_SHIFT ^ mixed >> 2 * SET4_MIX_SHIFT;
	return mixed * invert_factor(SET4_MIX_FIRST);
}

/* Adds the address that has this code, if any: the first one whose product is not less than the
 * code. */
static int read_code(const struct set_head *h, uint32_t half, uint16_t code,
		     struct set_prefixes *out)
{
	uint64_t least = (uint64_t)half << 32 | (uint32_t)code << 16;
	uint64_t mixed = (least + h->codes - 1) / h->codes;

	if (mixed * h->codes >> 16 != least >> 16 || mixed > UINT32_MAX)
		return 0;
	return add_prefix(out, unmix_addr((uint32_t)mixed), 32);
}

static int read_codes(const struct set_table *l, const struct set_head *h, struct set_prefixes *out)
{
	int rc = 0;

	for (uint32_t half = 0; half < h->codes && !rc; half++) {
		const __u64 *words =
			l->at[h->codes_base + half / 2].word + half % 2 * SET4_HALF_WORDS;

		for (int i = 0; i < SET4_CODES && !rc; i++)
			rc = read_code(h, half, (uint16_t)(words[i / 4] >> i % 4 * 16), out);
	}
	return rc;
}

int set4_read(const struct set_table *l, struct set_prefixes *out)
{
	struct set_head h;
	int rc = 0;

	if (!l->n)
		return -EINVAL;
	h = set_table_head(l);
	if (h.magic != SET_MAGIC || h.version != SET_VERSION || h.family != 4 || h.base > l->n ||
	    h.buckets > l->n - h.base || (h.top && (uint64_t)SET4_BLOCKS + h.top > l->n) ||
	    (h.codes && (uint64_t)h.codes_base + h.codes / 2 + 1 > l->n))
		return -EINVAL;
	for (uint32_t i = 0; h.top && i < SLASH16S && !rc; i++) {
		uint16_t block = ((const uint16_t *)(l->at + SET_HEAD_LINES))[i];

		rc = block < h.top ? read_block(&l->at[SET4_BLOCKS + block], i << 16, out)
				   : -EINVAL;
	}
	for (uint32_t i = 0; i < h.buckets && !rc; i++)
		for (int s = 0; s < SET4_SLOTS && !rc; s++)
			rc = read_word(l->at[h.base + i].word[s], out);
	return rc ? rc : read_codes(l, &h, out);
}
