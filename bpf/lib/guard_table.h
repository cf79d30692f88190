/* SPDX-License-Identifier: MIT */
/* The guard's table: entries of keys and their buckets.
 *
 * The table is in plain arrays: a look at one line of the cache finds an entry, another has its
 * buckets, and nothing is allocated or moved. A bucket is one number, the time at which it would be
 * full again (its TAT, in GCRA's words). One that has been idle is set to the present by
 * compare-and-swap, so that no charge is lost (kernels before 5.12 have none: there CPUs that meet
 * just then are charged once). */
#ifndef BPF_LIB_GUARD_TABLE_H
#define BPF_LIB_GUARD_TABLE_H

#include "bpf/guard.h"
#include "bpf/lib/bpf.h"
#include "bpf/lib/parse.h"

/* As large as the conf says. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_UINT(map_flags, BPF_F_MMAPABLE);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct guard_line);
} guard MAP;

struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct guard_sums);
} guard_sums MAP;

#define GUARD_CONF (conf.guard)

/* A packet as the guard sees it. */
struct guard_pkt {
	__u64 now;
	__u64 src[2], dst[2];
	__u32 packets, bytes;
	__u16 sport, dport; /* as on the wire */
	__u8 family;        /* 4 or 6 */
	__u8 flags;         /* TCP's; 0: not TCP */
	__u8 syn;           /* 1: a connection's first packet */
	__u8 nothing;
};

/* An entry as it was found or made. */
struct guard_slot {
	struct guard_line *line;
	struct guard_rec *rec;
	__u64 hash;
	__u32 way, entry;
};

/* What a key's buckets say; GUARD_FULL: it has none, and may be somebody whom we know; GUARD_FEW:
 * it needs none. */
enum guard_verdict { GUARD_PASSES, GUARD_DROPS, GUARD_FULL, GUARD_FEW };

static __always_inline void *guard_at(__u32 i)
{
	return bpf_map_lookup_elem(&guard, &i);
}

static __always_inline struct guard_sums *guard_count(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&guard_sums, &zero);
}

static __always_inline void guard_add(__u32 which, const struct guard_pkt *g)
{
	struct guard_sums *sums = guard_count();

	if (!sums)
		return;
	sums->of[which].packets += g->packets;
	sums->of[which].bytes += g->bytes;
}

static __always_inline __u32 guard_tick(const struct guard_pkt *g)
{
	return g->now >> (GUARD_TIME_SHIFT + GUARD_TICK_SHIFT);
}

static __always_inline __u32 guard_second(const struct guard_pkt *g)
{
	return g->now >> (GUARD_TIME_SHIFT + GUARD_SECOND_SHIFT) & GUARD_WORD_SECOND;
}

static __always_inline __u64 guard_now(void)
{
	if (GUARD_CONF.jiffy)
		return bpf_jiffies64() * GUARD_CONF.jiffy + GUARD_CONF.epoch;
	return bpf_ktime_get_ns() << GUARD_TIME_SHIFT;
}

/* A key's hash in its scope, and its address masked; 0: the scope is not about such packets. */
static __always_inline __u64 guard_key(const struct guard_pkt *g,
				       const volatile struct guard_scope *scope, __u64 addr[2])
{
	bool dst = scope->key == GUARD_DST;
	__u32 ports = scope->key == GUARD_SRC_PORT ? (__u32)g->sport << 16 | g->dport : 0;

	addr[0] = dst ? g->dst[0] : g->src[0];
	addr[1] = dst ? g->dst[1] : g->src[1];
	if (g->family == 4) {
		if (!scope->mask4)
			return 0;
		addr[0] &= scope->mask4;
	} else {
		if (!scope->mask[0])
			return 0;
		addr[0] &= scope->mask[0];
		addr[1] &= scope->mask[1];
	}
	return guard_hash(GUARD_CONF.seed, guard_kind(scope, g->family), addr, ports) | 1ull << 63;
}

/* 0: a word of the table is of a key with this hash. */
static __always_inline __u64 guard_differ(__u64 word, __u64 hash)
{
	return (word ^ hash) / (GUARD_WORD_PIN << 1);
}

/* The way that is looked at first, and taken first. */
static __always_inline __u32 guard_first(__u64 hash)
{
	return hash >> 60 & (GUARD_WAYS - 1);
}

/* The way that has a hash, and GUARD_WAYS without one: without a branch, which would be a guess. A
 * bit for each way; the lowest of those that are set is found by a product whose upper bits differ
 * for all of them, in an order of its own. */
static __always_inline __u32 guard_way(const volatile struct guard_line *line, __u64 hash)
{
	static const __u8 bits[GUARD_WAYS] = { 0, 1, 6, 2, 7, 5, 4, 3 };
	__u64 found = 0;
	__u32 first = guard_first(hash);

	if (!guard_differ(line->way[first], hash))
		return first;
#pragma clang loop unroll(full)
	for (int w = 0; w < GUARD_WAYS; w++) {
		__u64 differ = guard_differ(line->way[w], hash);

		pkt_opaque(differ);
		found |= (differ - 1) >> 63 << bits[w];
	}
	if (!found)
		return GUARD_WAYS;
	found &= -found;
	return (found * 0x1d & 0xff) >> 5;
}

/* Of the sketch: a cell's second, SYNs, blocks of 64 bytes, packets. */
#define GUARD_CELL_FULL 0x800080008000ull

/* What is known at least of this second, with this packet: the least of what its cells say. */
static __always_inline __u64 guard_estimate(const struct guard_pkt *g, __u64 hash)
{
	__u64 more = hash * 0x9e3779b97f4a7c15ull, second = guard_second(g);
	__u32 packets = g->packets, blocks = (g->bytes + 63) / 64;
	__u64 least_packets = 0xffff, least_blocks = 0xffff, least_syns = 0xffff, add;

	packets = packets < 0x3fff ? packets : 0x3fff;
	blocks = blocks < 0x3fff ? blocks : 0x3fff;
	add = packets | (__u64)blocks << 16 | (__u64)g->syn << 32;
	more ^= more >> 31;
#pragma clang loop unroll(full)
	for (int row = 0; row < GUARD_ROWS; row++) {
		__u32 cell = row * GUARD_CELLS + (more >> 16 * row & (GUARD_CELLS - 1));
		struct guard_line *line = guard_at(GUARD_SKETCH(GUARD_CONF.lines) + cell / 8);
		__u64 seen, *at;

		if (!line)
			return 0;
		at = &line->way[cell & (GUARD_WAYS - 1)];
		seen = *(volatile __u64 *)at;
		if (seen >> 48 != second) {
			seen = second << 48;
			*(volatile __u64 *)at = seen | add;
		} else if (add && !(seen & GUARD_CELL_FULL)) {
			__sync_fetch_and_add(at, add);
		}
		seen += add;
		if ((seen & 0xffff) < least_packets)
			least_packets = seen & 0xffff;
		if ((seen >> 16 & 0xffff) < least_blocks)
			least_blocks = seen >> 16 & 0xffff;
		if ((seen >> 32 & 0xffff) < least_syns)
			least_syns = seen >> 32 & 0xffff;
	}
	return least_packets | least_blocks << 16 | least_syns << 32;
}

static __always_inline bool guard_few(const volatile struct guard_scope *scope, __u64 seen)
{
	return (seen & 0xffff) < scope->sketch_min_packets &&
	       (seen >> 16 & 0xffff) < scope->sketch_min_blocks &&
	       seen >> 32 < scope->sketch_min_syns;
}

/* Whether an entry's place may be taken by another. */
static __always_inline bool guard_idle(const struct guard_pkt *g, __u64 word, __u32 entry)
{
	struct guard_rec *rec;

	if (!word)
		return true;
	if (((guard_second(g) - word) & GUARD_WORD_SECOND) <= GUARD_CONF.idle)
		return false;
	if (!(word & GUARD_WORD_PIN))
		return true;
	rec = guard_at(entry);
	if (!rec || *(volatile __s64 *)&rec->open > 0)
		return false;
	return !rec->ban ||
	       guard_ticks(guard_tick(g), guard_ban_until(rec->ban)) > (__s32)GUARD_CONF.ban_decay;
}

/* A bucket begins with what the sketch has of the key but for this packet, and with what it may
 * have missed because it fell into the second before: so no key ever gets more than its burst. */
static __always_inline __u64 guard_charge_before(const struct guard_pkt *g,
						 const volatile struct guard_scope *scope,
						 const volatile struct guard_limit *limit,
						 __u64 seen)
{
	__u64 units, charge;

	switch (limit->unit) {
	case GUARD_PACKETS:
		units = (seen & 0xffff) - g->packets + scope->sketch_min_packets - 1;
		break;
	case GUARD_BITS:
		units = ((seen >> 16 & 0xffff) + scope->sketch_min_blocks - 1) * 64 - g->bytes;
		break;
	case GUARD_SYNS:
		units = (seen >> 32) - g->syn + scope->sketch_min_syns - 1;
		break;
	default:
		return 0;
	}
	charge = (__s64)units > 0 ? units * limit->cost : 0;
	return charge < limit->full ? charge : limit->full;
}

static __always_inline void guard_begin(const struct guard_pkt *g, struct guard_rec *rec,
					const volatile struct guard_scope *scope, __u64 seen)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GUARD_OPEN_AT; i++) {
		if (i >= scope->nlimits)
			break;
		rec->tat[i] = g->now + guard_charge_before(g, scope, &scope->limits[i], seen);
	}
	/* Nobody has any open: else it would not be free. */
	rec->passed = rec->dropped = rec->ban = 0;
	rec->quads = 0;
	rec->last = guard_tick(g);
}

static __always_inline void guard_name(const struct guard_pkt *g,
				       const volatile struct guard_scope *scope,
				       const __u64 addr[2], __u32 entry)
{
	struct guard_name *name = guard_at(GUARD_NAMES(GUARD_CONF.lines) + entry / 2);

	if (!name)
		return;
	name += entry & 1;
	name->addr[0] = addr[0];
	name->addr[1] = addr[1];
	name->sport = scope->key == GUARD_SRC_PORT ? be16(g->sport) : 0;
	name->dport = scope->key == GUARD_SRC_PORT ? be16(g->dport) : 0;
	name->key = scope->key;
	name->bits = g->family == 4 ? scope->bits4 : scope->bits6;
	name->family = g->family;
	name->since = guard_tick(g);
	name->banned = 0;
}

static __always_inline void guard_count_made(bool replaced)
{
	struct guard_sums *sums = guard_count();

	if (!sums)
		return;
	sums->made++;
	sums->replaced += replaced;
}

/* What guard_claim() says beside a way. */
enum { GUARD_CLAIM_FULL = GUARD_WAYS, GUARD_CLAIM_BUSY, GUARD_CLAIM_FOUND = 16 };

/* Make a place in a line for a new key. It is nobody's until guard_publish(), so that no CPU takes
 * from buckets that are about to be filled: who finds a place in the making may have found its own.
 * Another CPU may have been faster: then what it has made is found. */
static __always_inline __u32 guard_claim(const struct guard_pkt *g, struct guard_line *line,
					 __u32 number, __u64 hash)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GUARD_WAYS; i++) {
		__u32 w = (guard_first(hash) + i) & (GUARD_WAYS - 1);
		__u64 old = *(volatile __u64 *)&line->way[w];

		if (!guard_differ(old, hash))
			return w | GUARD_CLAIM_FOUND;
		if (!guard_idle(g, old, GUARD_RECS(GUARD_CONF.lines) + number * GUARD_WAYS + w)) {
			if ((old & ~GUARD_WORD_SECOND) == GUARD_WORD_BUSY)
				return GUARD_CLAIM_BUSY;
			continue;
		}
		if (__sync_val_compare_and_swap(&line->way[w], old,
						GUARD_WORD_BUSY | guard_second(g)) != old)
			return GUARD_CLAIM_BUSY;
		guard_count_made(old != 0);
		return w;
	}
	return GUARD_CLAIM_FULL;
}

static __always_inline void guard_publish(const struct guard_pkt *g, struct guard_line *line,
					  __u32 way, __u64 hash)
{
	__sync_val_compare_and_swap(&line->way[way & (GUARD_WAYS - 1)],
				    GUARD_WORD_BUSY | guard_second(g),
				    (hash & GUARD_WORD_PRINT) | guard_second(g));
}

/* What costs more than the whole burst passes if the bucket is full: its cost is charged all the
 * same. */
static __always_inline bool guard_exceeds(const volatile struct guard_limit *limit, __u64 tat,
					  __u64 now, __u64 cost)
{
	__s64 ahead = tat - now;

	return cost && ahead > 0 && ahead + cost > limit->full;
}

static __always_inline void guard_charge(__u64 *tat, __u64 now, __u64 cost)
{
	__u64 was = *(volatile __u64 *)tat;

	if ((__s64)(was - now) <= 0 && __sync_val_compare_and_swap(tat, was, now + cost) == was)
		return;
	__sync_fetch_and_add(tat, cost);
}

/* The entry is idle only if what it has says so. */
static __always_inline void guard_pin(const struct guard_slot *at)
{
	__u64 *place = &at->line->way[at->way & (GUARD_WAYS - 1)];
	__u64 word = *(volatile __u64 *)place;

	if (__sync_val_compare_and_swap(place, word, word | GUARD_WORD_PIN) == word)
		return;
	word = *(volatile __u64 *)place;
	__sync_val_compare_and_swap(place, word, word | GUARD_WORD_PIN);
}

/* Make a key that has no entry one, if there is enough of it, or if it must have one. GUARD_DROPS:
 * another CPU is about to. */
static __always_inline enum guard_verdict guard_make(const struct guard_pkt *g,
						     const volatile struct guard_scope *scope,
						     struct guard_slot *at, __u64 hash,
						     const __u64 addr[2], bool must)
{
	__u32 number = hash & GUARD_CONF.lines;
	__u64 seen;

	if (!scope->nlimits)
		return GUARD_FEW;
	seen = guard_estimate(g, hash);
	if (!must && guard_few(scope, seen))
		return GUARD_FEW;
	at->way = guard_claim(g, at->line, number, hash);
	if (at->way == GUARD_CLAIM_FULL)
		return GUARD_FULL;
	if (at->way == GUARD_CLAIM_BUSY)
		return GUARD_DROPS;
	at->entry = number * GUARD_WAYS + (at->way & (GUARD_WAYS - 1));
	at->rec = guard_at(GUARD_RECS(GUARD_CONF.lines) + at->entry);
	if (!at->rec)
		return GUARD_FEW;
	if (at->way & GUARD_CLAIM_FOUND)
		return GUARD_PASSES;
	guard_begin(g, at->rec, scope, seen);
	guard_name(g, scope, addr, at->entry);
	guard_publish(g, at->line, at->way, hash);
	return GUARD_PASSES;
}

/* Find a key's entry, or make it one. */
static __always_inline enum guard_verdict guard_find(const struct guard_pkt *g,
						     const volatile struct guard_scope *scope,
						     struct guard_slot *at, bool must)
{
	__u64 addr[2], hash = guard_key(g, scope, addr);
	__u32 number = hash & GUARD_CONF.lines;

	if (!hash)
		return GUARD_FEW;
	at->hash = hash;
	at->line = guard_at(number);
	if (!at->line)
		return GUARD_FEW;
	at->way = guard_way(at->line, hash);
	if (at->way >= GUARD_WAYS)
		return guard_make(g, scope, at, hash, addr, must);
	at->entry = number * GUARD_WAYS + at->way;
	at->rec = guard_at(GUARD_RECS(GUARD_CONF.lines) + at->entry);
	return at->rec ? GUARD_PASSES : GUARD_FEW;
}

#endif
