/* SPDX-License-Identifier: MIT */
/* The guard: a packet held against the limits of its source, destination or ports.
 *
 * The table is in plain arrays: a look at one line of the cache finds an entry, another has its
 * buckets, and nothing is allocated or moved. A bucket is one number, the time at which it would be
 * full again (its TAT, in GCRA's words): a packet is accepted if that is no further ahead than the
 * burst, and then sets it ahead by its cost. Between looking and adding, other CPUs may do the
 * same: each may accept one packet too many, but that is charged, so it is made up for and never
 * adds up. A bucket that has been idle is set to the present by compare-and-swap, so that no charge
 * is lost (kernels before 5.12 have none: there CPUs that meet just then are charged once). */
#ifndef BPF_LIB_GUARD_H
#define BPF_LIB_GUARD_H

#include <linux/if_ether.h>
#include <linux/tcp.h>
#include "bpf/gate.h"
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

enum { GUARD_TCP_FIN = 1, GUARD_TCP_SYN = 2, GUARD_TCP_RST = 4, GUARD_TCP_ACK = 16 };

/* A packet as the guard sees it. */
struct guard_ask {
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
struct guard_place {
	struct guard_line *line;
	struct guard_rec *rec;
	__u32 way, entry;
};

/* What a key's buckets say; GUARD_FULL: it has none, and may be somebody whom we know; GUARD_FEW:
 * it needs none. */
enum guard_said { GUARD_PASSES, GUARD_DROPS, GUARD_FULL, GUARD_FEW };

static __always_inline void *guard_at(__u32 i)
{
	return bpf_map_lookup_elem(&guard, &i);
}

static __always_inline struct guard_sums *guard_count(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&guard_sums, &zero);
}

static __always_inline void guard_add(__u32 which, const struct guard_ask *g)
{
	struct guard_sums *sums = guard_count();

	if (!sums)
		return;
	sums->of[which].packets += g->packets;
	sums->of[which].bytes += g->bytes;
}

static __always_inline __u32 guard_tick(const struct guard_ask *g)
{
	return g->now >> (GUARD_TIME_SHIFT + GUARD_TICK_SHIFT);
}

static __always_inline __u32 guard_second(const struct guard_ask *g)
{
	return g->now >> (GUARD_TIME_SHIFT + GUARD_SECOND_SHIFT) & GUARD_WORD_SECOND;
}

/* Two bytes a time: all that is known of a header's place is that it is even. */
static __always_inline __u64 guard_halves(const __be16 *at)
{
	union {
		__be16 half[4];
		__u64 whole;
	} w = { .half = { at[0], at[1], at[2], at[3] } };

	return w.whole;
}

static __always_inline __u32 guard_two(const __be16 *at)
{
	union {
		__be16 half[2];
		__u32 whole;
	} w = { .half = { at[0], at[1] } };

	return w.whole;
}

/* Ports and TCP's flags, which may lie outside an skb's linear part. */
static __always_inline void guard_transport(struct guard_ask *g, const struct pkt_src *s,
					    const struct pkt *p)
{
	__be16 copy[8] = {}, *at = copy;

	if (s->skb) {
		if (bpf_skb_load_bytes(s->skb, p->off, copy, sizeof(copy)) &&
		    bpf_skb_load_bytes(s->skb, p->off, copy, 8))
			return;
	} else {
		at = s->data + (p->off & PKT_OFF_MASK);
		pkt_opaque(at);
		if ((void *)(at + 8) > s->end) {
			if ((void *)(at + 4) > s->end || p->proto == IPPROTO_TCP)
				return;
			g->sport = at[0];
			g->dport = at[1];
			return;
		}
	}
	g->sport = at[0];
	g->dport = at[1];
	if (p->proto != IPPROTO_TCP)
		return;
	g->flags = ((__u8 *)at)[13];
	g->syn = (g->flags & (GUARD_TCP_SYN | GUARD_TCP_ACK)) == GUARD_TCP_SYN;
}

/* False: not an IP packet, or no whole header of one. */
static __always_inline bool guard_read(struct guard_ask *g, const struct pkt_src *s,
				       const struct pkt *p)
{
	const __be16 *ip = s->data + (p->net & PKT_NET_MASK);

	if (p->bad || p->family > GATE_IPV6)
		return false;
	if (p->family == GATE_IPV4) {
		if ((void *)(ip + 10) > s->end)
			return false;
		g->family = 4;
		g->src[0] = guard_two(ip + 6);
		g->dst[0] = guard_two(ip + 8);
	} else {
		if ((void *)(ip + 20) > s->end)
			return false;
		g->family = 6;
		g->src[0] = guard_halves(ip + 4);
		g->src[1] = guard_halves(ip + 8);
		g->dst[0] = guard_halves(ip + 12);
		g->dst[1] = guard_halves(ip + 16);
	}
	if (!p->fragment && ((GUARD_CONF.flags && p->proto == IPPROTO_TCP) ||
			     (GUARD_CONF.ports && p->proto == IPPROTO_UDP)))
		guard_transport(g, s, p);
	return true;
}

/* A key's hash in its scope, and its address masked; 0: the scope is not about such packets. */
static __always_inline __u64 guard_key(const struct guard_ask *g,
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

	if (!((line->way[first] ^ hash) >> 17))
		return first;
#pragma clang loop unroll(full)
	for (int w = 0; w < GUARD_WAYS; w++) {
		__u64 differ = (line->way[w] ^ hash) >> 17;

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
static __always_inline __u64 guard_estimate(const struct guard_ask *g, __u64 hash)
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
		} else if (!(seen & GUARD_CELL_FULL)) {
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
	return (seen & 0xffff) < scope->few_packets && (seen >> 16 & 0xffff) < scope->few_blocks &&
	       seen >> 32 < scope->few_syns;
}

/* Whether an entry's place may be taken by another. */
static __always_inline bool guard_idle(const struct guard_ask *g, __u64 word, __u32 entry)
{
	struct guard_rec *rec;

	if (!word)
		return true;
	if (((guard_second(g) - word) & GUARD_WORD_SECOND) <= GUARD_CONF.idle)
		return false;
	if (!(word & GUARD_WORD_PIN))
		return true;
	rec = guard_at(entry);
	return rec &&
	       guard_ticks(guard_tick(g), guard_ban_until(rec->ban)) > (__s32)GUARD_CONF.quiet;
}

/* A bucket begins with what the sketch has of the key but for this packet, and with what it may
 * have missed because it fell into the second before: so no key ever gets more than its burst. */
static __always_inline __u64 guard_charge_before(const struct guard_ask *g,
						 const volatile struct guard_scope *scope,
						 const volatile struct guard_limit *limit,
						 __u64 seen)
{
	__u64 units, charge;

	switch (limit->unit) {
	case GUARD_PACKETS:
		units = (seen & 0xffff) - g->packets + scope->few_packets - 1;
		break;
	case GUARD_BITS:
		units = ((seen >> 16 & 0xffff) + scope->few_blocks - 1) * 64 - g->bytes;
		break;
	case GUARD_SYNS:
		units = (seen >> 32) - g->syn + scope->few_syns - 1;
		break;
	default:
		return 0;
	}
	charge = (__s64)units > 0 ? units * limit->cost : 0;
	return charge < limit->full ? charge : limit->full;
}

static __always_inline void guard_begin(const struct guard_ask *g, struct guard_rec *rec,
					const volatile struct guard_scope *scope, __u64 seen)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GUARD_SCOPE_LIMITS; i++) {
		if (i >= scope->nlimits)
			break;
		rec->tat[i] = g->now + guard_charge_before(g, scope, &scope->limits[i], seen);
	}
	rec->passed = rec->dropped = rec->ban = 0;
	rec->quads = 0;
	rec->last = guard_tick(g);
}

static __always_inline void guard_name(const struct guard_ask *g,
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
static __always_inline __u32 guard_claim(const struct guard_ask *g, struct guard_line *line,
					 __u32 number, __u64 hash)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GUARD_WAYS; i++) {
		__u32 w = (guard_first(hash) + i) & (GUARD_WAYS - 1);
		__u64 old = *(volatile __u64 *)&line->way[w];

		if (!((old ^ hash) >> 17))
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

static __always_inline void guard_publish(const struct guard_ask *g, struct guard_line *line,
					  __u32 way, __u64 hash)
{
	__sync_val_compare_and_swap(&line->way[way & (GUARD_WAYS - 1)],
				    GUARD_WORD_BUSY | guard_second(g),
				    (hash & GUARD_WORD_PRINT) | guard_second(g));
}

/* The entry has been seen now. */
static __always_inline void guard_touch(const struct guard_ask *g, const struct guard_place *at)
{
	struct guard_rec *rec = at->rec;
	__u64 word, *place = &at->line->way[at->way & (GUARD_WAYS - 1)];
	__u32 tick = guard_tick(g);

	if (rec->last == tick)
		return;
	/* So long ago that times then may seem to be ahead: no burst lasts that long. */
	if (guard_ticks(tick, rec->last) > 1 << 24 || guard_ticks(tick, rec->last) < -(1 << 24))
		for (int i = 0; i < GUARD_SCOPE_LIMITS; i++)
			rec->tat[i] = g->now;
	rec->last = tick;
	word = *(volatile __u64 *)place;
	if ((word & GUARD_WORD_SECOND) != guard_second(g))
		__sync_val_compare_and_swap(place, word,
					    (word & ~GUARD_WORD_SECOND) | guard_second(g));
}

static __always_inline __u64 guard_units(const struct guard_ask *g,
					 const volatile struct guard_limit *limit)
{
	switch (limit->unit) {
	case GUARD_PACKETS:
		return g->packets;
	case GUARD_BITS:
		return g->bytes;
	case GUARD_SYNS:
		return g->syn ? g->packets : 0;
	default:
		return 0;
	}
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

/* The entry's owner is banned from now on. */
static __always_inline void guard_ban(const struct guard_ask *g, const struct guard_place *at,
				      const volatile struct guard_limit *limit)
{
	__u64 *place = &at->line->way[at->way & (GUARD_WAYS - 1)], word;
	__u64 old = *(volatile __u64 *)&at->rec->ban;
	__u32 tick = guard_tick(g), level = guard_ban_level(old);
	struct guard_sums *sums = guard_count();
	struct guard_name *name;
	__u64 len;

	if (!old || guard_ticks(tick, guard_ban_until(old)) > (__s32)GUARD_CONF.quiet)
		level = 0;
	len = (__u64)limit->ban << (level & 31);
	if (len > GUARD_CONF.longest)
		len = GUARD_CONF.longest;
	if (level < GUARD_LEVEL_MAX)
		level++;
	/* Another CPU may have done it: then once is enough. */
	if (__sync_val_compare_and_swap(&at->rec->ban, old,
					guard_ban_word(tick + len, level, limit->number)) != old)
		return;
	if (sums)
		sums->bans[limit->number & (GUARD_LIMITS_MAX - 1)]++;
	name = guard_at(GUARD_NAMES(GUARD_CONF.lines) + at->entry / 2);
	if (name)
		name[at->entry & 1].banned = tick;
	word = *(volatile __u64 *)place;
	if (__sync_val_compare_and_swap(place, word, word | GUARD_WORD_PIN) != word) {
		word = *(volatile __u64 *)place;
		__sync_val_compare_and_swap(place, word, word | GUARD_WORD_PIN);
	}
}

/* Banned; and for as long as packets come, and a quiet time behind the last of them. */
static __always_inline bool guard_banned(const struct guard_ask *g, struct guard_rec *rec)
{
	__u64 word = *(volatile __u64 *)&rec->ban;
	__u32 tick = guard_tick(g);
	__s32 left = guard_ticks(guard_ban_until(word), tick);

	if (!word || left <= 0)
		return false;
	if (left < (__s32)GUARD_CONF.quiet)
		__sync_val_compare_and_swap(&rec->ban, word,
					    guard_ban_word(tick + GUARD_CONF.quiet,
							   guard_ban_level(word),
							   guard_ban_why(word)));
	guard_add(GUARD_SUM_BANNED, g);
	return true;
}

/* Make a key that has no entry one, if there is enough of it. GUARD_DROPS: another CPU is about to.
 */
static __always_inline enum guard_said guard_make(const struct guard_ask *g,
						  const volatile struct guard_scope *scope,
						  struct guard_place *at, __u64 hash,
						  const __u64 addr[2])
{
	__u32 number = hash & GUARD_CONF.lines;
	__u64 seen;

	if (!scope->nlimits)
		return GUARD_FEW;
	seen = guard_estimate(g, hash);
	if (guard_few(scope, seen))
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
static __always_inline enum guard_said guard_find(const struct guard_ask *g,
						  const volatile struct guard_scope *scope,
						  struct guard_place *at)
{
	__u64 addr[2], hash = guard_key(g, scope, addr);
	__u32 number = hash & GUARD_CONF.lines;

	if (!hash)
		return GUARD_FEW;
	at->line = guard_at(number);
	if (!at->line)
		return GUARD_FEW;
	at->way = guard_way(at->line, hash);
	if (at->way >= GUARD_WAYS)
		return guard_make(g, scope, at, hash, addr);
	at->entry = number * GUARD_WAYS + at->way;
	at->rec = guard_at(GUARD_RECS(GUARD_CONF.lines) + at->entry);
	return at->rec ? GUARD_PASSES : GUARD_FEW;
}

/* What a place's limits say of a packet, before any of it is charged. Limits that only count do so;
 * limits of connections are held against SYNs. */
static __always_inline enum guard_said guard_check(const struct guard_ask *g,
						   const volatile struct guard_scope *scope,
						   const struct guard_place *at, bool shared)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GUARD_SCOPE_LIMITS; i++) {
		const volatile struct guard_limit *limit = &scope->limits[i];

		if (i >= scope->nlimits)
			break;
		if (!guard_exceeds(limit, *(volatile __u64 *)&at->rec->tat[i], g->now,
				   guard_units(g, limit) * limit->cost))
			continue;
		guard_add(shared ? GUARD_SUM_SHARED : limit->number & (GUARD_LIMITS_MAX - 1), g);
		if (limit->action == GUARD_COUNT)
			continue;
		if (limit->action == GUARD_BAN && !shared)
			guard_ban(g, at, limit);
		return GUARD_DROPS;
	}
	return GUARD_PASSES;
}

/* Charge an accepted packet to all its limits; what was over one that only counts is not. */
static __always_inline void guard_take(const struct guard_ask *g,
				       const volatile struct guard_scope *scope,
				       struct guard_rec *rec)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GUARD_SCOPE_LIMITS; i++) {
		const volatile struct guard_limit *limit = &scope->limits[i];
		__u64 cost;

		if (i >= scope->nlimits)
			break;
		cost = guard_units(g, limit) * limit->cost;
		if (cost && (limit->action != GUARD_COUNT ||
			     !guard_exceeds(limit, rec->tat[i], g->now, cost)))
			guard_charge(&rec->tat[i], g->now, cost);
	}
	__sync_fetch_and_add(&rec->passed, g->packets);
}

static __always_inline enum guard_said guard_judge(const struct guard_ask *g,
						   const volatile struct guard_scope *scope,
						   const struct guard_place *at)
{
	enum guard_said said;

	guard_touch(g, at);
	__sync_fetch_and_add(&at->rec->quads, (g->bytes + 3) / 4);
	said = guard_banned(g, at->rec) ? GUARD_DROPS : guard_check(g, scope, at, false);
	if (said == GUARD_PASSES)
		guard_take(g, scope, at->rec);
	else
		__sync_fetch_and_add(&at->rec->dropped, g->packets);
	return said;
}

/* All keys of a scope that have no entry, and would need one, are limited as one. */
static __always_inline enum guard_said guard_share(const struct guard_ask *g, __u32 s)
{
	const volatile struct guard_scope *scope = &GUARD_CONF.scopes[s];
	struct guard_place at = { .rec = guard_at(GUARD_SHARED(GUARD_CONF.lines) + s) };
	enum guard_said said;

	if (!at.rec)
		return GUARD_PASSES;
	said = guard_check(g, scope, &at, true);
	if (said == GUARD_PASSES)
		guard_take(g, scope, at.rec);
	return said;
}

/* Held against every scope's limits, the first that says no decides. *full: a bit for each scope
 * whose table had no room. */
static __always_inline enum guard_said guard_ask(const struct guard_ask *g, __u32 *full)
{
	/* What is in the packet stays where it is, rather than be made ready for all that may come.
	 */
	asm volatile("" : "+r"(g) : : "memory");
	*full = g->nothing;
#pragma clang loop unroll(disable)
	for (__u32 s = 0; s < GUARD_SCOPES_MAX; s++) {
		const volatile struct guard_scope *scope = &GUARD_CONF.scopes[s];
		struct guard_place at = {};
		enum guard_said said;

		if (s >= GUARD_CONF.nscopes)
			break;
		said = guard_find(g, scope, &at);
		if (said == GUARD_FULL)
			*full |= (1u << s) + g->nothing;
		if (said == GUARD_PASSES)
			said = guard_judge(g, scope, &at);
		if (said == GUARD_DROPS)
			return GUARD_DROPS;
	}
	return GUARD_PASSES;
}

/* The same for what found no room. */
static __always_inline enum guard_said guard_ask_shared(const struct guard_ask *g, __u32 full)
{
	guard_add(GUARD_SUM_FULL, g);
#pragma clang loop unroll(disable)
	for (__u32 s = 0; s < GUARD_SCOPES_MAX; s++)
		if (full & 1u << s && guard_share(g, s) == GUARD_DROPS)
			return GUARD_DROPS;
	return GUARD_PASSES;
}

static __always_inline __u64 guard_now(void)
{
	if (GUARD_CONF.jiffy)
		return bpf_jiffies64() * GUARD_CONF.jiffy + GUARD_CONF.epoch;
	return bpf_ktime_get_ns() << GUARD_TIME_SHIFT;
}

/* All that is known of a packet becomes unknown to the verifier, so that it goes on with one state.
 * nothing: 0, of which it does not know that. */
static __always_inline void guard_forget(struct guard_ask *g, struct pkt *p, __u64 nothing)
{
	g->src[0] += nothing;
	g->src[1] += nothing;
	g->dst[0] += nothing;
	g->dst[1] += nothing;
	g->sport += nothing;
	g->dport += nothing;
	g->family = (g->family + nothing) & 7;
	g->flags += nothing;
	g->syn = (g->syn + nothing) & 1;
	g->packets += nothing;
	g->bytes += nothing;
	g->nothing = nothing;
	p->net = (p->net + nothing) & PKT_NET_MASK;
	p->off = (p->off + nothing) & PKT_OFF_MASK;
	p->family = (p->family + nothing) & 1;
}

/* Passes unlimited, or is held against the limits from now on. */
static __always_inline bool guard_trusts(struct guard_ask *g, __u32 answer)
{
	if (answer & GATE_ANSWER_TRUST) {
		guard_add(GUARD_SUM_TRUSTED, g);
		return true;
	}
	g->now = guard_now();
	return false;
}

/* A TCP packet's socket on this host, if there is one. The caller releases it. */
static __always_inline struct bpf_sock *guard_socket(void *ctx, const struct guard_ask *g)
{
	struct bpf_sock_tuple t = {};

	if (g->family == 4) {
		t.ipv4.saddr = g->src[0];
		t.ipv4.daddr = g->dst[0];
		t.ipv4.sport = g->sport;
		t.ipv4.dport = g->dport;
		return bpf_skc_lookup_tcp(ctx, &t, sizeof(t.ipv4), BPF_F_CURRENT_NETNS, 0);
	}
	*(__u64 *)t.ipv6.saddr = g->src[0];
	*(__u64 *)(t.ipv6.saddr + 2) = g->src[1];
	*(__u64 *)t.ipv6.daddr = g->dst[0];
	*(__u64 *)(t.ipv6.daddr + 2) = g->dst[1];
	t.ipv6.sport = g->sport;
	t.ipv6.dport = g->dport;
	return bpf_skc_lookup_tcp(ctx, &t, sizeof(t.ipv6), BPF_F_CURRENT_NETNS, 0);
}

/* The headers of a TCP packet, in one piece; 0: they are not. ip_len: of the IP header, without
 * options or extensions. */
struct guard_headers {
	void *ip;
	struct tcphdr *tcp;
	__u32 ip_len;
};

static __always_inline bool guard_headers(struct guard_headers *h, const struct pkt_src *s,
					  const struct pkt *p)
{
	h->ip_len = p->family == GATE_IPV4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	h->ip = s->data + (p->net & PKT_NET_MASK);
	h->tcp = h->ip + h->ip_len;
	return p->off == p->net + h->ip_len && (void *)(h->tcp + 1) <= s->end;
}

/* An acknowledgment that proves a cookie of this host's. */
static __always_inline bool guard_proves(struct bpf_sock *listener, const struct pkt_src *s,
					 const struct pkt *p)
{
	struct guard_headers h;

	if (!guard_headers(&h, s, p))
		return false;
	if (p->family == GATE_IPV4)
		return !bpf_tcp_check_syncookie(listener, h.ip, sizeof(struct iphdr), h.tcp,
						sizeof(*h.tcp));
	return !bpf_tcp_check_syncookie(listener, h.ip, sizeof(struct ipv6hdr), h.tcp,
					sizeof(*h.tcp));
}

/* Of a connection that this host has or is about to have: no flood of strangers takes it away. */
static __always_inline bool guard_known(void *ctx, const struct guard_ask *g,
					const struct pkt_src *s, const struct pkt *p)
{
	struct bpf_sock *sk;
	bool known;

	if (!g->flags || g->syn)
		return false;
	sk = guard_socket(ctx, g);
	if (!sk)
		return false;
	known = sk->state != BPF_TCP_LISTEN || (g->flags & GUARD_TCP_ACK && guard_proves(sk, s, p));
	bpf_sk_release(sk);
	return known;
}

#endif
