/* SPDX-License-Identifier: MIT */
/* Looks an address up in a set's map (bpf/set.h). The including file defines before the include:
 * set_line_at(__u32 index): the line (const struct set_line *), or NULL;
 * set_load_param(NAME, var): loads a number of enum set_param into the __u64 var. */
#ifndef BPF_LIB_SET_H
#define BPF_LIB_SET_H

#include "bpf/set.h"

/* Returns true if the bucket in line index has the address. hash: set4_hash() of its key. *first:
 * the bucket's first word. */
static __always_inline int set4_in_bucket(__u32 index, __u64 hash, __u32 addr, __u64 *first)
{
	const struct set_line *l = set_line_at(index);
	__u64 word;

	*first = 0;
	if (!l)
		return 0;
	*first = l->word[0];
	word = l->word[set4_slot(hash, *first)];
	return set4_key(word) == addr >> 4 && word >> (addr & 15) & 1;
}

static __always_inline int set4_in_buckets(__u32 addr, __u64 buckets)
{
	__u64 hash = set4_hash(addr >> 4), base, first;

	set_load_param(SET_PARAM_BASE, base);
	if (set4_in_bucket(base + set_first_bucket(hash, buckets), hash, addr, &first))
		return 1;
	if (!(first & SET4_SPILLED))
		return 0;
	return set4_in_bucket(base + set_second_bucket(hash, buckets), hash, addr, &first);
}

/* Returns true if the half line of the address has its code. *more: it may be in the buckets
 * instead. */
static __always_inline int set4_in_codes(__u32 addr, __u64 codes, bool *more)
{
	__u64 place = set4_mix(addr) * codes, found = 0, last, base, code;
	const struct set_line *l;
	const __u64 *half;

	set_load_param(SET_PARAM_CODES_BASE, base);
	*more = false;
	l = set_line_at(base + (place >> 33));
	if (!l)
		return 0;
	half = l->word + (place >> 32 & 1) * SET4_HALF_WORDS;
	code = (place >> 16 & 0xffff) * SET4_IN_ALL_CODES;
	/* Compares four codes at a time. In each 16-bit lane of found, bit 15 is set if the codes
	 * are equal; a borrow may also set it in the lane above an equal one, which does no harm.
	 */
#pragma unroll
	for (int i = 0; i < SET4_HALF_WORDS - 1; i++) {
		__u64 differ = half[i] ^ code;

		found |= (differ - SET4_IN_ALL_CODES) & ~differ;
	}
	found &= SET4_IN_ALL_CODES << 15;
	last = half[SET4_HALF_WORDS - 1];
	*more = last & SET4_MORE_CODES;
	last ^= code;
	found |= (last - SET4_IN_ALL_CODES) & ~last & 0x800080008000ull;
	return found != 0;
}

/* Returns true if the set has the address. addr: host byte order. */
static __always_inline int set4_find(__u32 addr)
{
	const struct set_line *l;
	__u64 top, buckets, codes;
	bool more;
	__u32 kind;

	set_load_param(SET_PARAM_TOP, top);
	set_load_param(SET_PARAM_BUCKETS, buckets);
	set_load_param(SET_PARAM_CODES, codes);
	if (top) {
		l = set_line_at(SET_HEAD_LINES + (addr >> 21));
		if (!l)
			return 0;
		l = set_line_at(SET4_BLOCKS + ((const __u16 *)l)[addr >> 16 & 31]);
		if (!l)
			return 0;
		kind = ((const __u32 *)l)[addr >> 12 & 15] >> (addr >> 7 & 30) & 3;
		if (kind != SET4_SOME)
			return kind;
	}
	if (codes) {
		if (set4_in_codes(addr, codes, &more))
			return 1;
		if (!more)
			return 0;
	}
	return buckets ? set4_in_buckets(addr, buckets) : 0;
}

/* The result of searching a bucket: bits, so that none needs a branch. */
enum { SET6_MISS, SET6_MARKER = 1, SET6_END = 2, SET6_SPILLED = 4 };

static __always_inline int set6_in_bucket(__u32 index, __u64 high, __u64 low, __u32 bits)
{
	const struct set6_line *l = (const void *)set_line_at(index);

	if (!l)
		return SET6_MISS;
	for (int i = 0; i < SET6_SLOTS; i++)
		if (!((l->low[i] ^ low) | (l->high[i] ^ high) | (l->bits[i] ^ bits)))
			return SET6_MARKER << (l->ends >> i & 1); /* the end is the next bit */
	return l->spilled ? SET6_SPILLED : SET6_MISS;
}

static __always_inline int set6_probe(__u64 high, __u64 low, __u32 bits, __u64 buckets)
{
	__u64 hash;
	__u32 second;
	int got;

	if (bits <= 64) {
		high &= ~0ull << (64 - bits);
		low = 0;
	} else {
		low &= ~0ull << (128 - bits);
	}
	hash = set6_hash(high, low, bits);
	/* Computed before the first bucket is read, so that hash and buckets need not be kept. */
	second = SET6_BASE + set_second_bucket(hash, buckets);
	asm volatile("" : "+r"(second));
	got = set6_in_bucket(SET6_BASE + set_first_bucket(hash, buckets), high, low, bits);
	if (got == SET6_SPILLED)
		got = set6_in_bucket(second, high, low, bits);
	return got;
}

/* Returns true if the set has the address. high, low: its halves, host byte order. */
static __always_inline int set6_find(__u64 high, __u64 low)
{
	__u64 buckets, k = 1;

	set_load_param(SET_PARAM_BUCKETS, buckets);
#pragma nounroll
	for (int step = 0; step < SET6_STEPS; step++) {
		const struct set6_tree *tree = (const void *)set_line_at(SET_HEAD_LINES);
		__u32 bits;
		int got;

		if (!tree)
			return 0;
		/* tree->at[0] is SET6_PLACES, which the verifier does not know: else it would
		 * follow each value of k by itself. */
		k &= tree->at[0];
		bits = tree->at[k & SET6_PLACES];
		if (!bits)
			return 0;
		got = set6_probe(high, low, bits, buckets);
		/* Hides the value, or the compiler makes a loop for each result (clang from 15 on).
		 * Then XORs a 0 that the verifier does not know, or it would follow the rest for
		 * each result by itself. */
		asm volatile("" : "+r"(got));
		got ^= tree->at[0] ^ SET6_PLACES;
		if (got & SET6_END)
			return 1;
		k = k * 2 + (got & SET6_MARKER);
	}
	return 0;
}

#endif
