/* SPDX-License-Identifier: MIT */
/* The guard: a packet held against the limits of its source, destination or ports.
 *
 * It is accepted if no bucket's TAT is further ahead than the burst, and then sets it ahead by its
 * cost. Between looking and adding, other CPUs may do the same: each may accept one packet too
 * many, but that is charged, so it is made up for and never adds up. */
#ifndef BPF_LIB_GUARD_H
#define BPF_LIB_GUARD_H

#include <linux/if_ether.h>
#include <linux/tcp.h>
#include "bpf/lib/guard_table.h"

enum { GUARD_TCP_FIN = 1, GUARD_TCP_SYN = 2, GUARD_TCP_RST = 4, GUARD_TCP_ACK = 16 };

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

/* A fragment that might hide TCP's flags is taken for one that begins a connection (RFC 1858, RFC
 * 3128): nobody else cuts headers. */
static __always_inline bool guard_hides(const __be16 *ip)
{
	__be16 frag = ip[3];

	return frag & be16(PKT_IPV4_MORE | PKT_IPV4_OFFSET) && !(frag & be16(PKT_IPV4_OFFSET - 1));
}

/* Ports and TCP's flags, which may lie outside an skb's linear part. */
static __always_inline void guard_transport(struct guard_pkt *g, const struct pkt_src *s,
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
static __always_inline bool guard_read(struct guard_pkt *g, const struct pkt_src *s,
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
	if (!p->fragment &&
	    (p->proto == IPPROTO_TCP || (GUARD_CONF.ports && p->proto == IPPROTO_UDP)))
		guard_transport(g, s, p);
	if (p->family == GATE_IPV4 && p->proto == IPPROTO_TCP && guard_hides(ip)) {
		g->syn = 1;
		g->flags = 0;
	}
	return true;
}

/* The entry has been seen now. */
static __always_inline void guard_touch(const struct guard_pkt *g, const struct guard_slot *at)
{
	struct guard_rec *rec = at->rec;
	__u64 word, *place = &at->line->way[at->way & (GUARD_WAYS - 1)];
	__u32 tick = guard_tick(g);

	if (rec->last == tick)
		return;
	/* So long ago that times then may seem to be ahead: no burst lasts that long. */
	if (guard_ticks(tick, rec->last) > 1 << 24 || guard_ticks(tick, rec->last) < -(1 << 24))
		for (int i = 0; i < GUARD_OPEN_AT; i++)
			rec->tat[i] = g->now;
	rec->last = tick;
	word = *(volatile __u64 *)place;
	if ((word & GUARD_WORD_SECOND) != guard_second(g))
		__sync_val_compare_and_swap(place, word,
					    (word & ~GUARD_WORD_SECOND) | guard_second(g));
}

static __always_inline __u64 guard_units(const struct guard_pkt *g,
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

/* The entry's owner is banned from now on. */
static __always_inline void guard_ban(const struct guard_pkt *g, const struct guard_slot *at,
				      const volatile struct guard_limit *limit)
{
	__u64 old = *(volatile __u64 *)&at->rec->ban;
	__u32 tick = guard_tick(g), level = guard_ban_level(old);
	struct guard_sums *sums = guard_count();
	struct guard_name *name;
	__u64 len;

	if (!old || guard_ticks(tick, guard_ban_until(old)) > (__s32)GUARD_CONF.ban_decay)
		level = 0;
	len = (__u64)limit->ban << (level & 31);
	if (len > GUARD_CONF.ban_max)
		len = GUARD_CONF.ban_max;
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
	guard_pin(at);
}

/* Banned; and for as long as packets come, and a quiet time behind the last of them. */
static __always_inline bool guard_banned(const struct guard_pkt *g, struct guard_rec *rec)
{
	__u64 word = *(volatile __u64 *)&rec->ban;
	__u32 tick = guard_tick(g);
	__s32 left = guard_ticks(guard_ban_until(word), tick);

	if (!word || left <= 0)
		return false;
	if (left < (__s32)GUARD_CONF.ban_decay)
		__sync_val_compare_and_swap(&rec->ban, word,
					    guard_ban_word(tick + GUARD_CONF.ban_decay,
							   guard_ban_level(word),
							   guard_ban_why(word)));
	guard_add(GUARD_SUM_BANNED, g);
	return true;
}

/* What the limits leave to be asked. */
struct guard_pending {
	__u32 full; /* a bit for each scope whose table had no room */
	__u32 late; /* the number of a limit of connections that is reached, and 1 */
};

/* Over a limit. Of connections, if the packet may make another; whether an acknowledgment does, the
 * socket knows. Those that are in one batch of a receive queue see the same number: so many may
 * become too many. */
static __always_inline bool guard_over(const struct guard_pkt *g,
				       const volatile struct guard_limit *limit,
				       const struct guard_rec *rec, __u32 i,
				       struct guard_pending *pending)
{
	__u64 cost = guard_units(g, limit) * limit->cost;
	bool reached;

	if (!GUARD_CONF.conns || limit->unit < GUARD_CONNS)
		return guard_exceeds(limit, *(volatile __u64 *)&rec->tat[i], g->now, cost);
	if (limit->unit == GUARD_OPEN)
		reached = *(volatile __s64 *)&rec->open >= (__s64)limit->full;
	else
		reached =
			guard_exceeds(limit, *(volatile __u64 *)&rec->tat[i], g->now, limit->cost);
	if (!reached)
		return false;
	if (!g->syn && limit->action != GUARD_COUNT &&
	    (g->flags & (GUARD_TCP_ACK | GUARD_TCP_SYN | GUARD_TCP_RST)) == GUARD_TCP_ACK)
		pending->late = limit->number + 1;
	return g->syn;
}

/* What a place's limits say of a packet, before any of it is charged. Limits that only count do so.
 */
static __always_inline enum guard_verdict guard_check(const struct guard_pkt *g,
						      const volatile struct guard_scope *scope,
						      const struct guard_slot *at,
						      struct guard_pending *pending, bool shared)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < (GUARD_CONF.conns ? GUARD_SCOPE_LIMITS : GUARD_OPEN_AT); i++) {
		const volatile struct guard_limit *limit = &scope->limits[i];

		if (i >= scope->nlimits)
			break;
		if (!guard_over(g, limit, at->rec, i, pending))
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
static __always_inline void guard_charge_accepted(const struct guard_pkt *g,
						  const volatile struct guard_scope *scope,
						  struct guard_rec *rec)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GUARD_OPEN_AT; i++) {
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

static __always_inline enum guard_verdict
guard_judge_scope(const struct guard_pkt *g, const volatile struct guard_scope *scope,
		  const struct guard_slot *at, struct guard_pending *pending)
{
	enum guard_verdict verdict;

	guard_touch(g, at);
	__sync_fetch_and_add(&at->rec->quads, (g->bytes + 3) / 4);
	verdict =
		guard_banned(g, at->rec) ? GUARD_DROPS : guard_check(g, scope, at, pending, false);
	if (verdict == GUARD_PASSES)
		guard_charge_accepted(g, scope, at->rec);
	else
		__sync_fetch_and_add(&at->rec->dropped, g->packets);
	return verdict;
}

/* All keys of a scope that have no entry, and would need one, are limited as one. */
static __always_inline enum guard_verdict guard_judge_shared_scope(const struct guard_pkt *g,
								   __u32 s)
{
	const volatile struct guard_scope *scope = &GUARD_CONF.scopes[s];
	struct guard_slot at = { .rec = guard_at(GUARD_SHARED(GUARD_CONF.lines) + s) };
	struct guard_pending pending;
	enum guard_verdict verdict;

	if (!at.rec)
		return GUARD_PASSES;
	verdict = guard_check(g, scope, &at, &pending, true);
	if (verdict == GUARD_PASSES)
		guard_charge_accepted(g, scope, at.rec);
	return verdict;
}

/* Held against every scope's limits, the first that says no decides. */
static __always_inline enum guard_verdict guard_judge(const struct guard_pkt *g,
						      struct guard_pending *pending)
{
	/* What is in the packet stays where it is, rather than be made ready for all that may come.
	 */
	asm volatile("" : "+r"(g) : : "memory");
	pending->full = pending->late = g->nothing;
#pragma clang loop unroll(disable)
	for (__u32 s = 0; s < GUARD_SCOPES_MAX; s++) {
		const volatile struct guard_scope *scope = &GUARD_CONF.scopes[s];
		struct guard_slot at = {};
		enum guard_verdict verdict;

		if (s >= GUARD_CONF.nscopes)
			break;
		verdict = guard_find(g, scope, &at, false);
		if (verdict == GUARD_FULL)
			pending->full |= (1u << s) + g->nothing;
		if (verdict == GUARD_PASSES)
			verdict = guard_judge_scope(g, scope, &at, pending);
		if (verdict == GUARD_DROPS)
			return GUARD_DROPS;
	}
	return GUARD_PASSES;
}

/* The same for what found no room. */
static __always_inline enum guard_verdict guard_judge_shared(const struct guard_pkt *g, __u32 full)
{
	guard_add(GUARD_SUM_FULL, g);
#pragma clang loop unroll(disable)
	for (__u32 s = 0; s < GUARD_SCOPES_MAX; s++)
		if (full & 1u << s && guard_judge_shared_scope(g, s) == GUARD_DROPS)
			return GUARD_DROPS;
	return GUARD_PASSES;
}

/* All that is known of a packet becomes unknown to the verifier, so that it goes on with one state.
 * nothing: 0, of which it does not know that. */
static __always_inline void guard_forget(struct guard_pkt *g, struct pkt *p, __u64 nothing)
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
static __always_inline bool guard_trusts(struct guard_pkt *g, __u32 answer)
{
	if (answer & GATE_ANSWER_TRUST) {
		guard_add(GUARD_SUM_TRUSTED, g);
		return true;
	}
	g->now = guard_now();
	return false;
}

/* A TCP packet's socket on this host, if there is one. The caller releases it. */
static __always_inline struct bpf_sock *guard_socket(void *ctx, const struct guard_pkt *g)
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
static __always_inline bool guard_proves(struct bpf_sock *listener, const struct guard_headers *h,
					 const struct pkt *p)
{
	if (p->family == GATE_IPV4)
		return !bpf_tcp_check_syncookie(listener, h->ip, sizeof(struct iphdr), h->tcp,
						sizeof(*h->tcp));
	return !bpf_tcp_check_syncookie(listener, h->ip, sizeof(struct ipv6hdr), h->tcp,
					sizeof(*h->tcp));
}

/* What a packet is to the sockets of this host; GUARD_OPENS: it makes a connection of a handshake;
 * GUARD_MAY_OPEN: it does if there is a cookie of this host's in it, which was not looked for. */
enum guard_peer { GUARD_STRANGER, GUARD_MAY_OPEN, GUARD_OPENS, GUARD_KNOWN };

static __always_inline enum guard_peer guard_find_peer(void *ctx, const struct guard_pkt *g,
						       const struct pkt_src *s, const struct pkt *p)
{
	enum guard_peer peer = GUARD_KNOWN;
	struct guard_headers h;
	struct bpf_sock *sk;

	if (g->syn)
		return GUARD_STRANGER;
	sk = guard_socket(ctx, g);
	if (!sk)
		return GUARD_STRANGER;
	if (sk->state == BPF_TCP_NEW_SYN_RECV)
		peer = GUARD_OPENS;
	else if (sk->state == BPF_TCP_LISTEN)
		peer = !(g->flags & GUARD_TCP_ACK) ? GUARD_STRANGER
		       : !guard_headers(&h, s, p)  ? GUARD_MAY_OPEN
		       : guard_proves(sk, &h, p)   ? GUARD_OPENS
						   : GUARD_STRANGER;
	bpf_sk_release(sk);
	return peer;
}

/* What the limits alone could not say. GUARD_FULL: a stranger without an entry, of whom others
 * share a bucket. No flood of them takes a connection away that this host has or is about to have.
 */
static __always_inline enum guard_verdict
guard_resolve_pending(void *ctx, const struct guard_pkt *g, const struct guard_pending *pending,
		      const struct pkt_src *s, const struct pkt *p)
{
	enum guard_peer peer = guard_find_peer(ctx, g, s, p);

	if (pending->late && (peer == GUARD_OPENS || peer == GUARD_MAY_OPEN)) {
		guard_add((pending->late - 1) & (GUARD_LIMITS_MAX - 1), g);
		return GUARD_DROPS;
	}
	if (!pending->full)
		return GUARD_PASSES;
	if (peer == GUARD_STRANGER || peer == GUARD_MAY_OPEN)
		return GUARD_FULL;
	guard_add(GUARD_SUM_KNOWN, g);
	return GUARD_PASSES;
}

#endif
