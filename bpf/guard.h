/* SPDX-License-Identifier: MIT */
/* Contract of the guard: limits a key (a source, a destination, a source and its ports), and what
 * is kept of each. It is a part of the gate (bpf/gate.h).
 *
 * Guard time is in 1/1024 ns; it is compared by signed differences, so that it may go round. It is
 * CLOCK_MONOTONIC where that matters, else the kernel's count of jiffies, which costs a tenth of
 * that. A tick is 2^26 ns, a second here 2^30 ns. */
#ifndef BPF_GUARD_H
#define BPF_GUARD_H

#include <linux/types.h>

/* packets: frames on the wire; a segmentation-offloaded packet is its segments. bytes: of those
 * frames from the link-layer header on, VLAN tags included, frame check sequence not. */
struct gate_sum {
	__u64 packets, bytes;
};
_Static_assert(sizeof(struct gate_sum) == 16, "gate_sum is a contract");

enum {
	GUARD_LIMITS_MAX = 8,
	GUARD_SCOPES_MAX = 4,
	GUARD_SCOPE_LIMITS = 4,                 /* in one scope */
	GUARD_OPEN_AT = GUARD_SCOPE_LIMITS - 1, /* a limit of open connections, or none */
	GUARD_WAYS = 8,
	GUARD_CELLS = 1 << 16, /* of each of the sketch's rows */
	GUARD_ROWS = 4,
	GUARD_TIME_SHIFT = 10,
	GUARD_TICK_SHIFT = 26, /* from ns */
	GUARD_SECOND_SHIFT = 30,
};

enum guard_key { GUARD_SRC, GUARD_DST, GUARD_SRC_PORT };
/* The last two are connections that sockets accept, each second or open: they are counted where
 * that is done (bpf/conns.bpf.c), and held against the packets that would make another. A limit of
 * open ones is the last one of its scope. */
enum guard_unit { GUARD_PACKETS, GUARD_BITS, GUARD_SYNS, GUARD_CONNS, GUARD_OPEN };
enum guard_action { GUARD_COUNT, GUARD_LIMIT, GUARD_BAN };

/* A bucket, as GCRA has it: each unit takes so much time, and so much may be taken in advance. */
struct guard_limit {
	__u64 cost; /* guard time of a packet, byte, SYN or connection; GUARD_OPEN: 0 */
	__u64 full; /* of the whole burst; at most 2^60; GUARD_OPEN: how many */
	__u32 ban;  /* ticks of a first ban */
	__u8 unit, action;
	__u8 number; /* its place among all limits */
	__u8 per; /* of the rate as it was written: 's', 'm', 'h', 0; the programs have no use for
		   */
	__u64 rate, burst; /* these */
};
_Static_assert(sizeof(struct guard_limit) == 40, "guard_limit is a contract");

/* Limits on one kind of key. A family whose mask is 0 is not looked at. */
struct guard_scope {
	__u64 mask[2]; /* of IPv6 addresses, bytes as on the wire */
	__u32 mask4;   /* of IPv4 addresses, the same */
	__u8 key;      /* enum guard_key */
	__u8 nlimits;
	/* A key has an entry made once the sketch has as much of it in a second. */
	__u16 sketch_min_packets, sketch_min_syns, sketch_min_blocks; /* blocks: of 64 bytes */
	__u8 family; /* 4, 6: as it was written; 0: both */
	__u8 bits4, bits6, pad;
	struct guard_limit limits[GUARD_SCOPE_LIMITS];
};
_Static_assert(sizeof(struct guard_scope) == 192, "guard_scope is a contract");

struct guard_conf {
	__u64 seed[3];
	__u64 jiffy;     /* guard time of one; 0: a burst is too small for such a clock */
	__u64 epoch;     /* guard time of jiffy 0 */
	__u32 lines;     /* of the table, a power of two, less 1 */
	__u32 idle;      /* seconds without a packet after which an entry may be replaced */
	__u32 ban_decay; /* ticks */
	__u32 ban_max;   /* ban, in ticks */
	__u8 nscopes;    /* the first one is of sources: it holds bans made by hand */
	__u8 enforce;    /* 0: dry run */
	__u8 ports;      /* 1: a scope has them */
	__u8 cookies;    /* 1: they are answered where the kernel says so */
	__u8 conns;      /* 1: there are limits of connections */
	__u8 pad[3];
	struct guard_scope scopes[GUARD_SCOPES_MAX];
};
_Static_assert(sizeof(struct guard_conf) == 64 + 768, "guard_conf is a contract");

/* Map `guard` (array, mapped) is lines of the cache: guard_conf.lines + 1 of struct guard_line,
 * eight times as many of guard_rec, four times as many of two guard_names, one guard_rec a scope
 * that keys without an entry share, and the sketch's cells, row behind row. */
struct guard_line {
	__u64 way[GUARD_WAYS];
};
enum { GUARD_BYTES = sizeof(struct guard_line) };
#define GUARD_RECS(lines)   ((lines) + 1)
#define GUARD_NAMES(lines)  (GUARD_RECS(lines) * 9)
#define GUARD_SHARED(lines) (GUARD_RECS(lines) * 13)
#define GUARD_SKETCH(lines) (GUARD_SHARED(lines) + GUARD_SCOPES_MAX)
#define GUARD_SIZE(lines)   (GUARD_SKETCH(lines) + GUARD_ROWS * GUARD_CELLS / GUARD_WAYS)

/* What is in each of the eight entries that belong to a line, or 0: the hash's upper bits, a bit
 * for "its bucket of open connections or its ban tells whether it is idle", and the second of its
 * last packet. */
#define GUARD_WORD_PRINT  (~0ull << 17)
#define GUARD_WORD_PIN    (1ull << 16)
#define GUARD_WORD_SECOND 0xffffull
#define GUARD_WORD_BUSY   (1ull << 62) /* an entry in the making: no hash is like it */

/* Entry line * GUARD_WAYS + way. */
struct guard_rec {
	__u64 tat[GUARD_OPEN_AT]; /* when each bucket is full again */
	__s64 open;               /* connections that were counted, and are not closed */
	__u64 passed, dropped;    /* packets */
	__u64 ban;                /* guard_ban_word(), or 0 */
	__u32 last;               /* tick of the last packet */
	__u32 quads;              /* all packets' bytes, in fours; goes round */
};
_Static_assert(sizeof(struct guard_rec) == GUARD_BYTES, "guard_rec is a contract");

/* Ticks from b to a: they are what is left of guard time, so they go round every 208 days. */
static inline __s32 guard_ticks(__u32 a, __u32 b)
{
	return (__s32)((a - b) << 4) >> 4;
}

/* Until which tick, how often before, and why: the number of a limit, or GUARD_BY_HAND. */
enum { GUARD_BY_HAND = 0xff, GUARD_LEVEL_MAX = 24 };
static inline __u64 guard_ban_word(__u32 until, __u8 level, __u8 why)
{
	return (__u64)until << 32 | level | (__u64)why << 8;
}
static inline __u32 guard_ban_until(__u64 word)
{
	return word >> 32;
}
static inline __u8 guard_ban_level(__u64 word)
{
	return (__u8)word;
}
static inline __u8 guard_ban_why(__u64 word)
{
	return (__u8)(word >> 8);
}

/* Beside each entry: whose it is. */
struct guard_name {
	__u64 addr[2];      /* masked; IPv4: a number, as it is loaded from a packet */
	__u16 sport, dport; /* host byte order */
	__u8 key, bits;     /* enum guard_key; of the address */
	__u8 family;        /* 4 or 6 */
	__u8 pad;
	__u32 since;  /* tick in which the entry was made */
	__u32 banned; /* tick in which the last ban began */
};
_Static_assert(2 * sizeof(struct guard_name) == GUARD_BYTES, "guard_name is a contract");

/* Packets and bytes; the first ones are over the limit of that number: dropped, or would be. */
enum guard_which {
	GUARD_SUM_BANNED = GUARD_LIMITS_MAX, /* of keys that are banned */
	GUARD_SUM_SHARED,                    /* over a limit that all keys without an entry share */
	GUARD_SUM_FULL,                      /* whose key found no room in the table */
	GUARD_SUM_KNOWN,                     /* of these, of sockets of this host */
	GUARD_SUM_TRUSTED,                   /* that may pass unlimited */
	GUARD_SUM_COOKIES,                   /* SYNs that were answered */
	GUARD_SUM_UNCOUNTED,                 /* connections that found no room in the table */
	GUARD_SUMS
};

/* Value of map `guard_sums` (per-CPU array of one). */
struct guard_sums {
	struct gate_sum of[GUARD_SUMS];
	__u64 bans[GUARD_LIMITS_MAX];
	__u64 made, replaced; /* entries */
};

/* The hash of a key. Every bit depends on what only this installation knows. */
static inline __u64 guard_hash(const volatile __u64 *seed, __u32 kind, const __u64 *addr,
			       __u32 ports)
{
	__u64 h = (addr[0] ^ seed[0]) * (seed[1] | 1);

	h ^= h >> 32;
	h = (h ^ addr[1] ^ ((__u64)ports << 16) ^ kind) * (seed[2] | 1);
	h ^= h >> 29;
	h *= seed[1] | 1;
	return h ^ h >> 32;
}

/* What distinguishes hashes of equal numbers: what they are of, and how much of that. */
static inline __u32 guard_kind(const volatile struct guard_scope *scope, __u8 family)
{
	return scope->key << 12 | (family == 4 ? scope->bits4 : scope->bits6) << 4 | family;
}

#endif
