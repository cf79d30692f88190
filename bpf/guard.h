/* SPDX-License-Identifier: MIT */
/* Contract of the guard: limits for each key (a source, a destination, or a source with its ports),
 * and the table of keys. The guard is a part of the gate (bpf/gate.h).
 *
 * Guard time is in units of 1/1024 ns. It wraps, so it is compared by signed differences. It comes
 * from CLOCK_MONOTONIC where precision matters, else from the kernel's jiffies, which cost a tenth
 * of that. A tick is 2^26 ns, a second of the table 2^30 ns. */
#ifndef BPF_GUARD_H
#define BPF_GUARD_H

#include <linux/types.h>

/* packets: frames on the wire; a packet with segmentation offload counts as its segments. bytes: of
 * those frames from the link-layer header on, with VLAN tags, without frame check sequence. */
struct gate_sum {
	__u64 packets, bytes;
};
_Static_assert(sizeof(struct gate_sum) == 16, "gate_sum is a contract");

enum {
	GUARD_LIMITS_MAX = 8,
	GUARD_SCOPES_MAX = 4,
	GUARD_SCOPE_LIMITS = 4,                    /* in one scope */
	GUARD_OPEN_INDEX = GUARD_SCOPE_LIMITS - 1, /* of a limit of open connections */
	GUARD_WAYS = 8,
	GUARD_CELLS = 1 << 16, /* in each of the sketch's rows */
	GUARD_ROWS = 4,
	GUARD_TIME_SHIFT = 10,
	GUARD_TICK_SHIFT = 26, /* from ns */
	GUARD_SECOND_SHIFT = 30,
};

enum guard_key { GUARD_SRC, GUARD_DST, GUARD_SRC_PORT };
/* GUARD_CONNS and GUARD_OPEN are connections that sockets accept: in each second, or open at once.
 * bpf/guard_conns.bpf.c counts them where they are accepted. The gate drops packets that would open
 * more. A limit of open connections is the last one of its scope. */
enum guard_unit { GUARD_PACKETS, GUARD_BITS, GUARD_SYNS, GUARD_CONNS, GUARD_OPEN };
enum guard_action { GUARD_COUNT, GUARD_LIMIT, GUARD_BAN };

/* A bucket of the generic cell rate algorithm (GCRA): each unit costs some time, and a burst may
 * take that much in advance. */
struct guard_limit {
	__u64 cost; /* guard time of a packet, byte, SYN or connection; GUARD_OPEN: 0 */
	__u64 full; /* guard time of a burst, at most 2^60; GUARD_OPEN: number of connections */
	__u32 ban;  /* ticks of the first ban */
	__u8 unit, action;
	__u8 number; /* index among all limits */
	__u8 per;    /* unit of the rate as written: 's', 'm', 'h' or 0; for user space only */
	__u64 rate, burst; /* as written; for user space only */
};
_Static_assert(sizeof(struct guard_limit) == 40, "guard_limit is a contract");

/* Limits on one kind of key. A family with mask 0 has no limits here. */
struct guard_scope {
	__u64 mask[2]; /* of IPv6 addresses, network byte order */
	__be32 mask4;  /* of IPv4 addresses */
	__u8 key;      /* enum guard_key */
	__u8 nlimits;
	/* A key gets an entry when the sketch has counted this much of it in a second. */
	__u16 sketch_min_packets, sketch_min_syns, sketch_min_blocks; /* blocks of 64 bytes */
	__u8 family; /* 4 or 6, as written; 0: both */
	__u8 bits4, bits6, pad;
	struct guard_limit limits[GUARD_SCOPE_LIMITS];
};
_Static_assert(sizeof(struct guard_scope) == 192, "guard_scope is a contract");

struct guard_conf {
	__u64 seed[3];
	__u64 jiffy;     /* guard time of a jiffy; 0: jiffies are too coarse for a burst */
	__u64 epoch;     /* guard time of jiffy 0 */
	__u32 lines;     /* of the table, minus 1; their number is a power of two */
	__u32 idle;      /* seconds without a packet after which an entry may be replaced */
	__u32 ban_decay; /* ticks: packets extend a ban to this; its level is kept as long after it
			  */
	__u32 ban_max;   /* ticks of the longest ban */
	__u8 nscopes;    /* the first one is for sources: it has bans made by hand */
	__u8 enforce;    /* 0: dry run */
	__u8 ports;      /* 1: a scope's keys include ports */
	__u8 cookies;    /* 1: answer SYNs with cookies when the kernel requires them */
	__u8 conns;      /* 1: there are limits of connections */
	__u8 pad[3];
	struct guard_scope scopes[GUARD_SCOPES_MAX];
};
_Static_assert(sizeof(struct guard_conf) == 64 + 768, "guard_conf is a contract");

/* Map `guard` (array, mapped into memory) consists of cache lines: guard_conf.lines + 1 of struct
 * guard_line, eight times as many of guard_rec, four times as many of two guard_names, one
 * guard_rec for each scope, which its keys without an entry share, and the sketch's cells, row
 * after row. */
struct guard_line {
	__u64 way[GUARD_WAYS];
};
_Static_assert(sizeof(struct guard_line) == 64, "guard_line is a cache line");
enum { GUARD_LINE_SIZE = sizeof(struct guard_line) };
#define GUARD_RECS(lines)   ((lines) + 1)
#define GUARD_NAMES(lines)  (GUARD_RECS(lines) * 9)
#define GUARD_SHARED(lines) (GUARD_RECS(lines) * 13)
#define GUARD_SKETCH(lines) (GUARD_SHARED(lines) + GUARD_SCOPES_MAX)
#define GUARD_SIZE(lines)   (GUARD_SKETCH(lines) + GUARD_ROWS * GUARD_CELLS / GUARD_WAYS)

/* A line has a word for each of its eight entries; 0: the entry is free. A word has the upper bits
 * of the key's hash, the pin (open connections or a ban may keep the entry from being idle), and
 * the second of its last packet. */
#define GUARD_WORD_HASH   (~0ull << 17)
#define GUARD_WORD_PIN    (1ull << 16)
#define GUARD_WORD_SECOND 0xffffull
#define GUARD_WORD_BUSY   (1ull << 62) /* an entry that is being made: no key has this hash */

/* Entry number: line * GUARD_WAYS + way. */
struct guard_rec {
	__u64 tat[GUARD_OPEN_INDEX]; /* theoretical arrival time: when a bucket is full */
	__s64 open;                  /* connections counted and not closed yet */
	__u64 passed, dropped;       /* packets */
	__u64 ban;                   /* guard_ban_word(), or 0 */
	__u32 last;                  /* tick of the last packet */
	__u32 bytes_div4;            /* bytes of all packets, divided by 4; wraps */
};
_Static_assert(sizeof(struct guard_rec) == GUARD_LINE_SIZE, "guard_rec is a contract");

/* The signed difference a - b of ticks. They are the upper 28 bits of guard time, so they wrap
 * every 208 days. */
static inline __s32 guard_tick_diff(__u32 a, __u32 b)
{
	return (__s32)((a - b) << 4) >> 4;
}

/* A ban: the tick of its end, the number of earlier bans, and the reason: a limit's number, or
 * GUARD_BAN_MANUAL. */
enum { GUARD_BAN_MANUAL = 0xff, GUARD_LEVEL_MAX = 24 };
static inline __u64 guard_ban_word(__u32 until, __u8 level, __u8 reason)
{
	return (__u64)until << 32 | level | (__u64)reason << 8;
}
static inline __u32 guard_ban_until(__u64 word)
{
	return word >> 32;
}
static inline __u8 guard_ban_level(__u64 word)
{
	return (__u8)word;
}
static inline __u8 guard_ban_reason(__u64 word)
{
	return (__u8)(word >> 8);
}

/* The key of an entry. Two of these share a cache line. */
struct guard_name {
	__u64 addr[2]; /* masked, network byte order; IPv4: the 32-bit number loaded from a packet
			*/
	__u16 sport_host, dport_host;
	__u8 key, bits; /* enum guard_key; prefix length */
	__u8 family;    /* 4 or 6 */
	__u8 pad;
	__u32 created;   /* tick in which the entry was made */
	__u32 ban_start; /* tick in which the last ban started */
};
_Static_assert(2 * sizeof(struct guard_name) == GUARD_LINE_SIZE, "guard_name is a contract");

/* Packets and bytes. The first GUARD_LIMITS_MAX are over the limit of that number: dropped, or they
 * would be in a dry run. */
enum guard_sum_index {
	GUARD_SUM_BANNED = GUARD_LIMITS_MAX, /* from banned keys */
	GUARD_SUM_SHARED,                    /* over a limit that all keys without an entry share */
	GUARD_SUM_FULL,                      /* of keys for which the table had no room */
	GUARD_SUM_KNOWN,                     /* of these: of sockets of this host */
	GUARD_SUM_ALLOWED,                   /* allowed, without limits */
	GUARD_SUM_COOKIES,                   /* SYNs answered with a cookie */
	GUARD_SUM_UNCOUNTED,                 /* connections for which the table had no room */
	GUARD_SUMS
};

/* Value of map `guard_sums` (per-CPU array of one). */
struct guard_sums {
	struct gate_sum sum[GUARD_SUMS];
	__u64 bans[GUARD_LIMITS_MAX];
	__u64 created, replaced; /* entries */
};
_Static_assert(sizeof(struct guard_sums) == 16 * GUARD_SUMS + 8 * GUARD_LIMITS_MAX + 16,
	       "guard_sums is a contract");

/* Returns the hash of a key. Every bit depends on the seed, which only this installation knows. */
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

/* Distinguishes hashes of equal addresses: the kind of key, its prefix length and its family. */
static inline __u32 guard_kind(const volatile struct guard_scope *scope, __u8 family)
{
	return scope->key << 12 | (family == 4 ? scope->bits4 : scope->bits6) << 4 | family;
}

#endif
