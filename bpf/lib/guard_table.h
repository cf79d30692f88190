/* SPDX-License-Identifier: MIT */
/* The guard's table: entries of keys and their buckets.
 *
 * The table is a plain array of cache lines. Finding an entry reads one line, its buckets are in
 * another, and nothing is allocated or moved. A bucket is one number: the time at which it is full
 * again (TAT, the theoretical arrival time of GCRA). An idle bucket is set to the present time by
 * compare-and-swap, so that no charge is lost. (Kernels before 5.12 have no compare-and-swap: CPUs
 * that do this at the same moment are charged once.) */
#ifndef BPF_LIB_GUARD_TABLE_H
#define BPF_LIB_GUARD_TABLE_H

#include "bpf/guard.h"
#include "bpf/lib/bpf.h"
#include "bpf/lib/parse.h"

/* The conf sets its size. */
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
	__be16 sport, dport;
	__u16 net, off; /* as in struct pkt */
	__u8 family;    /* 4 or 6 */
	__u8 flags;     /* TCP's; 0: not TCP */
	__u8 syn;       /* 1: the first packet of a connection */
	__u8 zero;
};

/* An entry that was found or made. */
struct guard_slot {
	struct guard_line *line;
	struct guard_rec *rec;
	__u64 hash;
	__u32 way, entry;
};

/* The result of a key's buckets. GUARD_FULL: the table has no room for the key, which may belong to
 * a known peer. GUARD_LOW_RATE: the key needs no entry. */
enum guard_verdict { GUARD_PASSES, GUARD_DROPS, GUARD_FULL, GUARD_LOW_RATE };

static __always_inline void *guard_table_at(__u32 i)
{
	return bpf_map_lookup_elem(&guard, &i);
}

static __always_inline struct guard_sums *guard_find_sums(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&guard_sums, &zero);
}

static __always_inline void guard_add_sum(__u32 which, const struct guard_pkt *g)
{
	struct guard_sums *sums = guard_find_sums();

	if (!sums)
		return;
	sums->sum[which].packets += g->packets;
	sums->sum[which].bytes += g->bytes;
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

/* Returns the hash of a packet's key in a scope, and its masked address; 0 if the scope is not for
 * this packet. */
static __always_inline __u64 guard_hash_key(const struct guard_pkt *g,
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

/* 0 if a word of the table has this hash. */
static __always_inline __u64 guard_word_differs(__u64 word, __u64 hash)
{
	return (word ^ hash) / (GUARD_WORD_PIN << 1);
}

/* Returns the way that is searched first and used first. */
static __always_inline __u32 guard_first_way(__u64 hash)
{
	return hash >> 60 & (GUARD_WAYS - 1);
}

/* Returns the way with this hash; GUARD_WAYS if none has it. Has no branches, which the CPU would
 * mispredict. found has a bit for each way that matches. A multiplication turns the lowest one into
 * the way's number: the upper bits of the product differ for all of them, and bits[] has their
 * order. */
static __always_inline __u32 guard_find_way(const volatile struct guard_line *line, __u64 hash)
{
	static const __u8 bits[GUARD_WAYS] = { 0, 1, 6, 2, 7, 5, 4, 3 };
	__u64 found = 0;
	__u32 first = guard_first_way(hash);

	if (!guard_word_differs(line->way[first], hash))
		return first;
#pragma clang loop unroll(full)
	for (int w = 0; w < GUARD_WAYS; w++) {
		__u64 differ = guard_word_differs(line->way[w], hash);

		pkt_opaque(differ);
		found |= (differ - 1) >> 63 << bits[w];
	}
	if (!found)
		return GUARD_WAYS;
	found &= -found;
	return (found * 0x1d & 0xff) >> 5;
}

/* A cell of the sketch: its second, SYNs, blocks of 64 bytes, packets. */
#define GUARD_CELL_FULL 0x800080008000ull

/* Counts the packet in the sketch, and estimates what the key has sent in this second: the least
 * count of its cells. */
static __always_inline __u64 guard_update_sketch(const struct guard_pkt *g, __u64 hash)
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
		/* Row by row: interleaved, the rows need more stack than rules and sets leave. */
		asm volatile("" : "+r"(more), "+r"(second), "+r"(add) : : "memory");
		__u32 cell = row * GUARD_CELLS + (more >> 16 * row & (GUARD_CELLS - 1));
		struct guard_line *line = guard_table_at(GUARD_SKETCH(GUARD_CONF.lines) + cell / 8);
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

static __always_inline bool guard_is_low_rate(const volatile struct guard_scope *scope, __u64 seen)
{
	return (seen & 0xffff) < scope->sketch_min_packets &&
	       (seen >> 16 & 0xffff) < scope->sketch_min_blocks &&
	       seen >> 32 < scope->sketch_min_syns;
}

/* Returns true if another key may take over the entry. */
static __always_inline bool guard_is_idle(const struct guard_pkt *g, __u64 word, __u32 entry)
{
	struct guard_rec *rec;

	if (!word)
		return true;
	if (((guard_second(g) - word) & GUARD_WORD_SECOND) <= GUARD_CONF.idle)
		return false;
	if (!(word & GUARD_WORD_PIN))
		return true;
	rec = guard_table_at(entry);
	if (!rec || *(volatile __s64 *)&rec->open > 0)
		return false;
	return !rec->ban || guard_tick_diff(guard_tick(g), guard_ban_until(rec->ban)) >
				    (__s32)GUARD_CONF.ban_decay;
}

/* A new bucket is charged with what the sketch has counted of the key before this packet, and with
 * what the sketch may have missed because it was in the second before. So no key gets more than its
 * burst. */
static __always_inline __u64 guard_initial_charge(const struct guard_pkt *g,
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

static __always_inline void guard_init_entry(const struct guard_pkt *g, struct guard_rec *rec,
					     const volatile struct guard_scope *scope, __u64 seen)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GUARD_OPEN_INDEX; i++) {
		if (i >= scope->nlimits)
			break;
		rec->tat[i] = g->now + guard_initial_charge(g, scope, &scope->limits[i], seen);
	}
	/* An entry with open connections is not replaced, so open is 0. */
	rec->passed = rec->dropped = rec->ban = 0;
	rec->bytes_div4 = 0;
	rec->last = guard_tick(g);
}

static __always_inline void guard_write_name(const struct guard_pkt *g,
					     const volatile struct guard_scope *scope,
					     const __u64 addr[2], __u32 entry)
{
	struct guard_name *name = guard_table_at(GUARD_NAMES(GUARD_CONF.lines) + entry / 2);

	if (!name)
		return;
	name += entry & 1;
	name->addr[0] = addr[0];
	name->addr[1] = addr[1];
	name->sport_host = scope->key == GUARD_SRC_PORT ? be16(g->sport) : 0;
	name->dport_host = scope->key == GUARD_SRC_PORT ? be16(g->dport) : 0;
	name->key = scope->key;
	name->bits = g->family == 4 ? scope->bits4 : scope->bits6;
	name->family = g->family;
	name->created = guard_tick(g);
	name->ban_start = 0;
}

static __always_inline void guard_count_created(bool replaced)
{
	struct guard_sums *sums = guard_find_sums();

	if (!sums)
		return;
	sums->created++;
	sums->replaced += replaced;
}

/* Results of guard_claim_way() other than a way. */
enum { GUARD_CLAIM_FULL = GUARD_WAYS, GUARD_CLAIM_BUSY, GUARD_CLAIM_FOUND = 16 };

/* Reserves a way of a line for a new key. Nobody uses it until guard_publish_entry(), so that no
 * CPU charges buckets before they are set up. A CPU that finds a reserved way may have found its
 * own key's. If another CPU has made the entry meanwhile, returns that one. */
static __always_inline __u32 guard_claim_way(const struct guard_pkt *g, struct guard_line *line,
					     __u32 number, __u64 hash)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GUARD_WAYS; i++) {
		__u32 w = (guard_first_way(hash) + i) & (GUARD_WAYS - 1);
		__u64 old = *(volatile __u64 *)&line->way[w];

		if (!guard_word_differs(old, hash))
			return w | GUARD_CLAIM_FOUND;
		if (!guard_is_idle(g, old,
				   GUARD_RECS(GUARD_CONF.lines) + number * GUARD_WAYS + w)) {
			if ((old & ~GUARD_WORD_SECOND) == GUARD_WORD_BUSY)
				return GUARD_CLAIM_BUSY;
			continue;
		}
		if (__sync_val_compare_and_swap(&line->way[w], old,
						GUARD_WORD_BUSY | guard_second(g)) != old)
			return GUARD_CLAIM_BUSY;
		guard_count_created(old != 0);
		return w;
	}
	return GUARD_CLAIM_FULL;
}

static __always_inline void guard_publish_entry(const struct guard_pkt *g, struct guard_line *line,
						__u32 way, __u64 hash)
{
	__sync_val_compare_and_swap(&line->way[way & (GUARD_WAYS - 1)],
				    GUARD_WORD_BUSY | guard_second(g),
				    (hash & GUARD_WORD_HASH) | guard_second(g));
}

/* A cost larger than the whole burst passes if the bucket is full, and is charged all the same. */
static __always_inline bool guard_exceeds(const volatile struct guard_limit *limit, __u64 tat,
					  __u64 now, __u64 cost)
{
	__s64 ahead = tat - now;

	return cost && ahead > 0 && ahead + cost > limit->full;
}

static __always_inline void guard_charge(__u64 *tat, __u64 now, __u64 cost)
{
	__u64 old = *(volatile __u64 *)tat;

	if ((__s64)(old - now) <= 0 && __sync_val_compare_and_swap(tat, old, now + cost) == old)
		return;
	__sync_fetch_and_add(tat, cost);
}

/* Marks the entry: only its record shows whether it is idle. */
static __always_inline void guard_pin_entry(const struct guard_slot *at)
{
	__u64 *way = &at->line->way[at->way & (GUARD_WAYS - 1)];
	__u64 word = *(volatile __u64 *)way;

	if (__sync_val_compare_and_swap(way, word, word | GUARD_WORD_PIN) == word)
		return;
	word = *(volatile __u64 *)way;
	__sync_val_compare_and_swap(way, word, word | GUARD_WORD_PIN);
}

/* Makes an entry for a key that has sent enough, or that must have one. Returns GUARD_DROPS if
 * another CPU is making it. */
static __always_inline enum guard_verdict guard_make_entry(const struct guard_pkt *g,
							   const volatile struct guard_scope *scope,
							   struct guard_slot *at, __u64 hash,
							   const __u64 addr[2], bool must)
{
	__u32 number = hash & GUARD_CONF.lines;
	__u64 seen;

	if (!scope->nlimits)
		return GUARD_LOW_RATE;
	seen = guard_update_sketch(g, hash);
	if (!must && guard_is_low_rate(scope, seen))
		return GUARD_LOW_RATE;
	at->way = guard_claim_way(g, at->line, number, hash);
	if (at->way == GUARD_CLAIM_FULL)
		return GUARD_FULL;
	if (at->way == GUARD_CLAIM_BUSY)
		return GUARD_DROPS;
	at->entry = number * GUARD_WAYS + (at->way & (GUARD_WAYS - 1));
	at->rec = guard_table_at(GUARD_RECS(GUARD_CONF.lines) + at->entry);
	if (!at->rec)
		return GUARD_LOW_RATE;
	if (at->way & GUARD_CLAIM_FOUND)
		return GUARD_PASSES;
	guard_init_entry(g, at->rec, scope, seen);
	guard_write_name(g, scope, addr, at->entry);
	guard_publish_entry(g, at->line, at->way, hash);
	return GUARD_PASSES;
}

/* Finds a key's entry, or makes it. */
static __always_inline enum guard_verdict guard_find_entry(const struct guard_pkt *g,
							   const volatile struct guard_scope *scope,
							   struct guard_slot *at, bool must)
{
	__u64 addr[2], hash = guard_hash_key(g, scope, addr);
	__u32 number = hash & GUARD_CONF.lines;

	if (!hash)
		return GUARD_LOW_RATE;
	at->hash = hash;
	at->line = guard_table_at(number);
	if (!at->line)
		return GUARD_LOW_RATE;
	at->way = guard_find_way(at->line, hash);
	if (at->way >= GUARD_WAYS)
		return guard_make_entry(g, scope, at, hash, addr, must);
	at->entry = number * GUARD_WAYS + at->way;
	at->rec = guard_table_at(GUARD_RECS(GUARD_CONF.lines) + at->entry);
	return at->rec ? GUARD_PASSES : GUARD_LOW_RATE;
}

#endif
