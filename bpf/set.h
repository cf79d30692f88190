/* SPDX-License-Identifier: MIT */
/* Contract of the sets of addresses: a set's family is an array map of 64-byte lines, a cache line
 * each, made by user space at once and never changed while it is looked up.
 *
 * Line 0 is struct set_head. Then, of IPv4:
 * - if head.top: level 1, for the upper 16 bits of an address a block of level 2 (__u16); then
 * these blocks, a line each, for the third byte 2 bits: enum set4_kind. Blocks that say the same of
 * all are shared, so that what is looked up needs no branch before level 2 has spoken.
 * - head.buckets lines from head.base on: addresses by 16. A word has 16 bits, one for each, and
 *   the other 28 bits of the address; it is in the first or the second bucket that its hash says,
 *   the second being looked at only if SET4_SPILLED is set in the first; its place there is said
 *   by the hash and the bucket's seed, so that one word is compared. Without head.top that is all.
 * - if head.codes: so many half lines from head.codes_base on with single addresses by 16-bit
 * codes, for sets so large that a cache would not hold the words: 15 of them, and SET4_MORE_CODES
 * if there are more, which are in the buckets. An address says its half line and code without loss.
 * Of IPv6: the lengths of prefixes there are as a tree (struct set6_tree), and buckets of prefixes
 * and markers, by their hash as above (struct set6_line). A marker says that longer prefixes begin
 * so. As no prefix of a set is within another, a search never has to turn back. */
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

struct set_head {
	__u32 magic;
	__u16 version;
	__u16 family; /* 4 or 6 */
	__u32 lines;  /* of the whole map that are in use */
	__u32 top;    /* IPv4: blocks of level 2; 0: neither these nor level 1 are there */
	__u32 base;   /* line of the first bucket */
	__u32 buckets;
	__u32 codes, codes_base;
	__u32 reserved[8];
};
_Static_assert(sizeof(struct set_head) == sizeof(struct set_line), "set_head is a line");

/* Numbers that are put into a copy of the code, out of the set's head: what stands for them. */
enum set_param {
	SET_PARAM_TOP = 0x5e7a0001,
	SET_PARAM_BASE,
	SET_PARAM_BUCKETS,
	SET_PARAM_CODES,
	SET_PARAM_CODES_BASE,
};

/* The two buckets of a hash. */
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
	SET4_SEED_SHIFT = 44, /* of a bucket's first word: 19 bits, then SET4_SPILLED */
};
#define SET4_SPILLED (1ull << 63)

enum set4_kind {
	SET4_NONE,
	SET4_ALL, /* of these 256 addresses */
	SET4_SOME,
};

/* key: the upper 28 bits of an address in host byte order. */
static inline __u64 set4_hash(__u32 key)
{
	return key * 0x9e3779b97f4a7c15ull;
}

/* Place in a bucket; word: its first one, with the seed. */
static inline __u32 set4_slot(__u64 hash, __u64 word)
{
	return (__u32)((hash ^ hash >> 32) * (word >> (SET4_SEED_SHIFT - 1) | 1)) >> 29;
}

static inline __u32 set4_key(__u64 word)
{
	return word >> 16 & 0xfffffff;
}

/* Half lines of 16-bit codes. An address in host byte order times their number, the upper half, is
 * the half line; the lower half's upper 16 bits are the code: no two addresses have both alike if
 * there are 65536 or more. The last code's place is for the mark that there are more. */
enum {
	SET4_CODES = 15,
	SET4_HALF_WORDS = 4,
	SET4_CODES_MIN = 70000, /* above 65536, so that each has codes that nothing has */
	SET4_MIX_SHIFT = 15,
};
#define SET4_MIX_FIRST    0x9e3779b1u /* odd: nothing is lost */
#define SET4_MIX_SECOND   0x85ebca6bu
#define SET4_MORE_CODES   (1ull << 63) /* in the last word */
#define SET4_IN_ALL_CODES 0x0001000100010001ull

static inline __u32 set4_mix(__u32 addr)
{
	addr *= SET4_MIX_FIRST;
	return (addr ^ addr >> SET4_MIX_SHIFT) * SET4_MIX_SECOND;
}

enum {
	SET6_BASE = SET_HEAD_LINES + 1,
	SET6_STEPS = 6,
	SET6_PLACES =
		(1 << SET6_STEPS) - 1, /* lengths; if a set has more, some prefixes are split */
	SET6_SLOTS = 3,
};

/* at[1] is asked first; behind at[k] comes at[2k] if there is nothing of that length, at[2k + 1] if
 * there is a marker. 0: the end. at[0] is SET6_PLACES. */
struct set6_tree {
	__u8 at[SET6_PLACES + 1];
};
_Static_assert(sizeof(struct set6_tree) == sizeof(struct set_line), "set6_tree is a line");

struct set6_line {
	__u64 high[SET6_SLOTS], low[SET6_SLOTS]; /* in host byte order, zero behind the length */
	__u8 bits[SET6_SLOTS];                   /* 0: nothing */
	__u8 ends;    /* by bit: it is a prefix of the set; else a marker */
	__u8 spilled; /* what has this as its first bucket may be in its second */
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
