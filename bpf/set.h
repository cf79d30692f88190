/* SPDX-License-Identifier: MIT */
/* Contract of the sets of addresses. Each family of a set is one array map, whose values are lines
 * of 64 bytes: one CPU cache line each. User space fills the map once; it does not change while
 * programs look addresses up.
 *
 * Line 0 is struct set_head.
 *
 * IPv4:
 * - If head.top is not 0: level 1 holds a __u16 for each value of an address's upper 16 bits, the
 *   number of its block in level 2. The blocks of level 2 follow, one line each: 2 bits (enum
 *   set4_kind) for each value of the third byte. All /16 that are entirely in the set share one
 *   block, and so do all that are entirely outside it: a lookup reads both levels without a branch.
 * - From line head.base on: head.buckets buckets, one line each, of words. A word stands for 16
 *   neighbouring addresses: the upper 28 bits of the addresses, and a bit for each of the 16. A
 *   word is in one of the two buckets that its hash gives; the second one is read only if
 *   SET4_SPILLED is set in the first. Hash and the bucket's seed give the slot in the bucket, so a
 *   lookup compares one word per bucket. Without level 1 the buckets hold the whole set.
 * - If head.codes is not 0: from line head.codes_base on, that many half lines of single addresses
 *   as 16-bit codes, for sets whose words do not fit into a CPU cache. A half line has 15 codes,
 *   and SET4_MORE_CODES if further addresses of it are in the buckets. Half line and code together
 *   identify an address.
 *
 * IPv6:
 * - Line 1 is the prefix lengths of the set as a search tree (struct set6_tree).
 * - From line SET6_BASE on: buckets of prefixes and markers (struct set6_line), found by hash as
 *   above. A marker means that longer prefixes start with these bits. No prefix of a set is within
 *   another, so a search never backtracks. */
#ifndef BPF_SET_H
#define BPF_SET_H

#include <linux/types.h>

enum {
	SET_MAGIC = 0x736f6e64,
	SET_VERSION = 1,
	SET_HEAD_LINES = 1,
};

struct set_line {
	__u64 word[8];
};
_Static_assert(sizeof(struct set_line) == 64, "set_line is a cache line");

struct set_head {
	__u32 magic;
	__u16 version;
	__u16 family; /* 4 or 6 */
	__u32 lines;  /* lines in use, this one included */
	__u32 top;    /* IPv4: number of blocks in level 2; 0: no levels */
	__u32 base;   /* line of the first bucket */
	__u32 buckets;
	__u32 codes, codes_base; /* IPv4: number of half lines; line of the first */
	__u32 reserved[8];
};
_Static_assert(sizeof(struct set_head) == sizeof(struct set_line), "set_head is a line");

/* Placeholders in the lookup code. User space replaces them by the numbers of the set's head in
 * each copy of the code. */
enum set_param {
	SET_PARAM_TOP = 0x5e7a0001,
	SET_PARAM_BASE,
	SET_PARAM_BUCKETS,
	SET_PARAM_CODES,
	SET_PARAM_CODES_BASE,
};

/* The two buckets of a hash: its upper and its lower half, scaled to the number of buckets. */
static inline __u32 set_first_bucket(__u64 hash, __u32 buckets)
{
	return (hash >> 32) * buckets >> 32;
}

static inline __u32 set_second_bucket(__u64 hash, __u32 buckets)
{
	return (hash & 0xffffffff) * buckets >> 32;
}

enum {
	SET4_TOP_LINES = 65536 * 2 / sizeof(struct set_line),
	SET4_BLOCKS = SET_HEAD_LINES + SET4_TOP_LINES, /* line of the first block */
	SET4_SLOTS = 8,
	/* The bucket's seed in its first word: bits 44 to 62. */
	SET4_SEED_SHIFT = 44,
};
/* In a bucket's first word: some words whose first bucket this is are in their second. */
#define SET4_SPILLED (1ull << 63)

enum set4_kind {
	SET4_NONE, /* none of these 256 addresses */
	SET4_ALL,
	SET4_SOME, /* look in codes and buckets */
};

/* key: the upper 28 bits of an address in host byte order. */
static inline __u64 set4_hash(__u32 key)
{
	return key * 0x9e3779b97f4a7c15ull;
}

/* The slot of a hash in a bucket. word: the bucket's first word, which has the seed. */
static inline __u32 set4_slot(__u64 hash, __u64 word)
{
	return (__u32)((hash ^ hash >> 32) * (word >> (SET4_SEED_SHIFT - 1) | 1)) >> 29;
}

static inline __u32 set4_key(__u64 word)
{
	return word >> 16 & 0xfffffff;
}

/* Half lines of 16-bit codes. The address (host byte order, mixed by set4_mix()) times the number
 * of half lines is a 64-bit product: its upper 32 bits are the number of the half line, the next 16
 * bits are the code. With 65536 half lines or more, no two addresses have both in common. The place
 * of the 16th code holds SET4_MORE_CODES. */
enum {
	SET4_CODES = 15,
	SET4_HALF_WORDS = 4,
	/* Half lines; above 65536, so that each has codes that no address maps to: they fill the
	 * places that are not in use. */
	SET4_CODES_MIN = 70000,
	SET4_MIX_SHIFT = 15,
};
#define SET4_MIX_FIRST    0x9e3779b1u /* odd, so the multiplication can be inverted */
#define SET4_MIX_SECOND   0x85ebca6bu
#define SET4_MORE_CODES   (1ull << 63) /* in the last word of a half line */
#define SET4_IN_ALL_CODES 0x0001000100010001ull

/* Spreads neighbouring addresses. Can be inverted: two addresses never become one. */
static inline __u32 set4_mix(__u32 addr)
{
	addr *= SET4_MIX_FIRST;
	return (addr ^ addr >> SET4_MIX_SHIFT) * SET4_MIX_SECOND;
}

enum {
	SET6_BASE = SET_HEAD_LINES + 1,
	SET6_STEPS = 6, /* lookups that a search takes at most */
	/* Prefix lengths in a tree. In a set with more, some prefixes are split into longer ones.
	 */
	SET6_PLACES = (1 << SET6_STEPS) - 1,
	SET6_SLOTS = 3,
};

/* A binary search over prefix lengths. It starts with at[1]. After at[k] follows at[2k] if the
 * buckets have nothing of that length, at[2k + 1] if they have a marker. 0 ends the search. at[0]
 * is SET6_PLACES. */
struct set6_tree {
	__u8 at[SET6_PLACES + 1];
};
_Static_assert(sizeof(struct set6_tree) == sizeof(struct set_line), "set6_tree is a line");

struct set6_line {
	__u64 high[SET6_SLOTS], low[SET6_SLOTS]; /* host byte order, zero after the length */
	__u8 bits[SET6_SLOTS];                   /* the length; 0: free slot */
	__u8 ends;    /* a bit per slot: a prefix of the set, else a marker */
	__u8 spilled; /* 1: some entries whose first bucket this is are in their second */
	__u8 reserved[11];
};
_Static_assert(sizeof(struct set6_line) == sizeof(struct set_line), "a bucket is a line");

static inline __u64 set6_hash(__u64 high, __u64 low, __u32 bits)
{
	__u64 h = (high + bits) * 0x9e3779b97f4a7c15ull;

	h = (h ^ h >> 32 ^ low) * 0xd6e8feb86659fd93ull;
	return (h ^ h >> 32) * 0xa0761d6478bd642full;
}

#endif
