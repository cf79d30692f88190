/* SPDX-License-Identifier: MIT */
/* The guard: checks a packet against the limits of its source, destination or ports.
 *
 * A packet passes if no bucket's theoretical arrival time (TAT) is further ahead than the burst
 * allows. Then its cost is added to the TAT. Other CPUs may pass packets between the check and the
 * addition: each may pass one packet too many. These are charged too, so the error does not add
 * up. */
#ifndef BPF_LIB_GUARD_H
#define BPF_LIB_GUARD_H

#include <linux/if_ether.h>
#include <linux/tcp.h>
#include "bpf/lib/guard_table.h"

enum { GUARD_TCP_FIN = 1, GUARD_TCP_SYN = 2, GUARD_TCP_RST = 4, GUARD_TCP_ACK = 16 };

/* Loads two bytes at a time: the only known alignment of a header is 2. */
static __always_inline __u64 guard_load_u64(const __be16 *at)
{
	union {
		__be16 half[4];
		__u64 value;
	} w = { .half = { at[0], at[1], at[2], at[3] } };

	return w.value;
}

static __always_inline __u32 guard_load_u32(const __be16 *at)
{
	union {
		__be16 half[2];
		__u32 value;
	} w = { .half = { at[0], at[1] } };

	return w.value;
}

/* A fragment that might hide TCP's flags counts as the first packet of a connection (RFC 1858, RFC
 * 3128): only an attacker cuts headers like that. */
static __always_inline bool guard_may_hide_flags(const __be16 *ip)
{
	__be16 frag = ip[3];

	return frag & be16(PKT_IPV4_MORE | PKT_IPV4_OFFSET) && !(frag & be16(PKT_IPV4_OFFSET - 1));
}

/* Reads ports and TCP's flags, which may lie outside an skb's linear part. */
static __always_inline void guard_parse_transport(struct guard_pkt *g, const struct pkt_src *s,
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

/* Returns false if it is no IP packet, or has no complete IP header. */
static __always_inline bool guard_parse(struct guard_pkt *g, const struct pkt_src *s,
					const struct pkt *p)
{
	const __be16 *ip = s->data + (p->net & PKT_NET_MASK);

	if (p->bad || p->family > GATE_IPV6)
		return false;
	if (p->family == GATE_IPV4) {
		if ((void *)(ip + 10) > s->end)
			return false;
		g->family = 4;
		g->src[0] = guard_load_u32(ip + 6);
		g->dst[0] = guard_load_u32(ip + 8);
	} else {
		if ((void *)(ip + 20) > s->end)
			return false;
		g->family = 6;
		g->src[0] = guard_load_u64(ip + 4);
		g->src[1] = guard_load_u64(ip + 8);
		g->dst[0] = guard_load_u64(ip + 12);
		g->dst[1] = guard_load_u64(ip + 16);
	}
	if (!p->fragment &&
	    (p->proto == IPPROTO_TCP || (GUARD_CONF.ports && p->proto == IPPROTO_UDP)))
		guard_parse_transport(g, s, p);
	if (p->family == GATE_IPV4 && p->proto == IPPROTO_TCP && guard_may_hide_flags(ip)) {
		g->syn = 1;
		g->flags = 0;
	}
	return true;
}

/* Updates the time of the entry's last packet. */
static __always_inline void guard_touch_entry(const struct guard_pkt *g,
					      const struct guard_slot *at)
{
	struct guard_rec *rec = at->rec;
	__u64 word, *way = &at->line->way[at->way & (GUARD_WAYS - 1)];
	__u32 tick = guard_tick(g);

	if (rec->last == tick)
		return;
	/* After so long the TATs may seem to be in the future, as guard time has wrapped. No burst
	 * takes that long. */
	if (guard_tick_diff(tick, rec->last) > 1 << 24 ||
	    guard_tick_diff(tick, rec->last) < -(1 << 24))
		for (int i = 0; i < GUARD_OPEN_INDEX; i++)
			rec->tat[i] = g->now;
	rec->last = tick;
	word = *(volatile __u64 *)way;
	if ((word & GUARD_WORD_SECOND) != guard_second(g))
		__sync_val_compare_and_swap(way, word,
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

/* Bans the entry's key. */
static __always_inline void guard_start_ban(const struct guard_pkt *g, const struct guard_slot *at,
					    const volatile struct guard_limit *limit)
{
	__u64 old = *(volatile __u64 *)&at->rec->ban;
	__u32 tick = guard_tick(g), level = guard_ban_level(old);
	struct guard_sums *sums = guard_find_sums();
	struct guard_name *name;
	__u64 len;

	if (!old || guard_tick_diff(tick, guard_ban_until(old)) > (__s32)GUARD_CONF.ban_decay)
		level = 0;
	len = (__u64)limit->ban << (level & 31);
	if (len > GUARD_CONF.ban_max)
		len = GUARD_CONF.ban_max;
	if (level < GUARD_LEVEL_MAX)
		level++;
	/* If another CPU was faster, its ban is enough. */
	if (__sync_val_compare_and_swap(&at->rec->ban, old,
					guard_ban_word(tick + len, level, limit->number)) != old)
		return;
	if (sums)
		sums->bans[limit->number & (GUARD_LIMITS_MAX - 1)]++;
	name = guard_table_at(GUARD_NAMES(GUARD_CONF.lines) + at->entry / 2);
	if (name)
		name[at->entry & 1].ban_start = tick;
	guard_pin_entry(at);
}

/* Returns true if the key is banned. Packets that still arrive extend the ban: it ends ban_decay
 * ticks after the last one at the earliest. */
static __always_inline bool guard_is_banned(const struct guard_pkt *g, struct guard_rec *rec)
{
	__u64 word = *(volatile __u64 *)&rec->ban;
	__u32 tick = guard_tick(g);
	__s32 left = guard_tick_diff(guard_ban_until(word), tick);

	if (!word || left <= 0)
		return false;
	if (left < (__s32)GUARD_CONF.ban_decay)
		__sync_val_compare_and_swap(&rec->ban, word,
					    guard_ban_word(tick + GUARD_CONF.ban_decay,
							   guard_ban_level(word),
							   guard_ban_reason(word)));
	guard_add_sum(GUARD_SUM_BANNED, g);
	return true;
}

/* What the limits leave to guard_resolve_pending(). */
struct guard_pending {
	__u32 full_scopes; /* a bit for each scope for which the table had no room */
	__u32 late_limit;  /* the number of a reached limit of connections, plus 1; 0: none */
};

/* Returns true if the packet is over a limit. A limit of connections applies to packets that may
 * open one. Whether an acknowledgment does, only its socket knows: *pending has that. Packets in
 * one batch of a receive queue see the same count, so as many may pass too many. */
static __always_inline bool guard_is_over(const struct guard_pkt *g,
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
		pending->late_limit = limit->number + 1;
	return g->syn;
}

/* Checks an entry's limits before the packet is charged to any. Limits that only count do so. */
static __always_inline enum guard_verdict guard_check(const struct guard_pkt *g,
						      const volatile struct guard_scope *scope,
						      const struct guard_slot *at,
						      struct guard_pending *pending, bool shared)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < (GUARD_CONF.conns ? GUARD_SCOPE_LIMITS : GUARD_OPEN_INDEX); i++) {
		const volatile struct guard_limit *limit = &scope->limits[i];

		if (i >= scope->nlimits)
			break;
		if (!guard_is_over(g, limit, at->rec, i, pending))
			continue;
		guard_add_sum(shared ? GUARD_SUM_SHARED : limit->number & (GUARD_LIMITS_MAX - 1),
			      g);
		if (limit->action == GUARD_COUNT)
			continue;
		if (limit->action == GUARD_BAN && !shared)
			guard_start_ban(g, at, limit);
		return GUARD_DROPS;
	}
	return GUARD_PASSES;
}

/* Charges an accepted packet to all limits of the entry, except for those that only count and are
 * exceeded. */
static __always_inline void guard_charge_accepted(const struct guard_pkt *g,
						  const volatile struct guard_scope *scope,
						  struct guard_rec *rec)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GUARD_OPEN_INDEX; i++) {
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
guard_check_scope(const struct guard_pkt *g, const volatile struct guard_scope *scope,
		  const struct guard_slot *at, struct guard_pending *pending)
{
	enum guard_verdict verdict;

	guard_touch_entry(g, at);
	__sync_fetch_and_add(&at->rec->bytes_div4, (g->bytes + 3) / 4);
	verdict = guard_is_banned(g, at->rec) ? GUARD_DROPS
					      : guard_check(g, scope, at, pending, false);
	if (verdict == GUARD_PASSES)
		guard_charge_accepted(g, scope, at->rec);
	else
		__sync_fetch_and_add(&at->rec->dropped, g->packets);
	return verdict;
}

/* All keys of a scope without an entry that need one share one set of buckets. */
static __always_inline enum guard_verdict guard_check_shared_scope(const struct guard_pkt *g,
								   __u32 s)
{
	const volatile struct guard_scope *scope = &GUARD_CONF.scopes[s];
	struct guard_slot at = { .rec = guard_table_at(GUARD_SHARED(GUARD_CONF.lines) + s) };
	struct guard_pending pending;
	enum guard_verdict verdict;

	if (!at.rec)
		return GUARD_PASSES;
	verdict = guard_check(g, scope, &at, &pending, true);
	if (verdict == GUARD_PASSES)
		guard_charge_accepted(g, scope, at.rec);
	return verdict;
}

/* Checks every scope's limits. The first one that is exceeded decides. */
static __always_inline enum guard_verdict guard_check_packet(const struct guard_pkt *g,
							     struct guard_pending *pending)
{
	/* Keeps the compiler from loading all of the packet's fields up front. */
	asm volatile("" : "+r"(g) : : "memory");
	pending->full_scopes = pending->late_limit = g->zero;
#pragma clang loop unroll(disable)
	for (__u32 s = 0; s < GUARD_SCOPES_MAX; s++) {
		const volatile struct guard_scope *scope = &GUARD_CONF.scopes[s];
		struct guard_slot at = {};
		enum guard_verdict verdict;

		if (s >= GUARD_CONF.nscopes)
			break;
		verdict = guard_find_entry(g, scope, &at, false);
		if (verdict == GUARD_FULL)
			pending->full_scopes |= (1u << s) + g->zero;
		if (verdict == GUARD_PASSES)
			verdict = guard_check_scope(g, scope, &at, pending);
		if (verdict == GUARD_DROPS)
			return GUARD_DROPS;
	}
	return GUARD_PASSES;
}

/* Checks the shared buckets of the scopes in full (a bit each), whose table has no room for the
 * key. */
static __always_inline enum guard_verdict guard_check_shared(const struct guard_pkt *g, __u32 full)
{
	guard_add_sum(GUARD_SUM_FULL, g);
#pragma clang loop unroll(disable)
	for (__u32 s = 0; s < GUARD_SCOPES_MAX; s++)
		if (full & 1u << s && guard_check_shared_scope(g, s) == GUARD_DROPS)
			return GUARD_DROPS;
	return GUARD_PASSES;
}

/* Makes all that is known of a packet unknown to the verifier, so that it continues with one state.
 * zero: 0, which the verifier does not know. From here on g has all that is needed of p: kept
 * beside it on the stack, p would need more than rules and sets leave. */
static __always_inline void guard_hide_from_verifier(struct guard_pkt *g, const struct pkt *p,
						     __u64 zero)
{
	g->src[0] += zero;
	g->src[1] += zero;
	g->dst[0] += zero;
	g->dst[1] += zero;
	g->sport += zero;
	g->dport += zero;
	g->family = (g->family + zero) & 7;
	g->flags += zero;
	g->syn = (g->syn + zero) & 1;
	g->packets += zero;
	g->bytes += zero;
	g->zero = zero;
	g->net = (p->net + zero) & PKT_NET_MASK;
	g->off = (p->off + zero) & PKT_OFF_MASK;
}

/* Returns true if the packet passes without limits. Else sets the time for the limits. */
static __always_inline bool guard_is_allowed(struct guard_pkt *g, __u32 answer)
{
	if (answer & GATE_ANSWER_ALLOW) {
		guard_add_sum(GUARD_SUM_ALLOWED, g);
		return true;
	}
	g->now = guard_now();
	return false;
}

/* Finds a TCP packet's socket on this host. Returns 0 if there is none. The caller releases it. */
static __always_inline struct bpf_sock *guard_find_socket(void *ctx, const struct guard_pkt *g)
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

/* The headers of a TCP packet. ip_len: of the IP header, without options or extension headers. */
struct guard_headers {
	void *ip;
	struct tcphdr *tcp;
	__u32 ip_len;
};

static __always_inline bool guard_find_headers(struct guard_headers *h, const struct pkt_src *s,
					       const struct guard_pkt *g)
{
	h->ip_len = g->family == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	h->ip = s->data + (g->net & PKT_NET_MASK);
	h->tcp = h->ip + h->ip_len;
	return g->off == g->net + h->ip_len && (void *)(h->tcp + 1) <= s->end;
}

/* Returns true if an acknowledgment has a valid SYN cookie of this host. */
static __always_inline bool guard_has_cookie(struct bpf_sock *listener,
					     const struct guard_headers *h,
					     const struct guard_pkt *g)
{
	if (g->family == 4)
		return !bpf_tcp_check_syncookie(listener, h->ip, sizeof(struct iphdr), h->tcp,
						sizeof(*h->tcp));
	return !bpf_tcp_check_syncookie(listener, h->ip, sizeof(struct ipv6hdr), h->tcp,
					sizeof(*h->tcp));
}

/* The relation of a packet to this host's sockets. GUARD_PEER_OPENS: it completes a handshake.
 * GUARD_PEER_MAY_OPEN: it does if it has a SYN cookie of this host, which could not be checked. */
enum guard_peer { GUARD_PEER_UNKNOWN, GUARD_PEER_MAY_OPEN, GUARD_PEER_OPENS, GUARD_PEER_KNOWN };

static __always_inline enum guard_peer guard_find_peer(void *ctx, const struct guard_pkt *g,
						       const struct pkt_src *s)
{
	enum guard_peer peer = GUARD_PEER_KNOWN;
	struct guard_headers h;
	struct bpf_sock *sk;

	if (g->syn)
		return GUARD_PEER_UNKNOWN;
	sk = guard_find_socket(ctx, g);
	if (!sk)
		return GUARD_PEER_UNKNOWN;
	if (sk->state == BPF_TCP_NEW_SYN_RECV)
		peer = GUARD_PEER_OPENS;
	else if (sk->state == BPF_TCP_LISTEN)
		peer = !(g->flags & GUARD_TCP_ACK)     ? GUARD_PEER_UNKNOWN
		       : !guard_find_headers(&h, s, g) ? GUARD_PEER_MAY_OPEN
		       : guard_has_cookie(sk, &h, g)   ? GUARD_PEER_OPENS
						       : GUARD_PEER_UNKNOWN;
	bpf_sk_release(sk);
	return peer;
}

/* Decides what the limits left open, by the packet's socket. Returns GUARD_FULL for an unknown peer
 * without an entry, which shares buckets with others. So a flood of those does not break
 * connections that this host has or is about to have. */
static __always_inline enum guard_verdict guard_resolve_pending(void *ctx,
								const struct guard_pkt *g,
								const struct guard_pending *pending,
								const struct pkt_src *s)
{
	enum guard_peer peer = guard_find_peer(ctx, g, s);

	if (pending->late_limit && (peer == GUARD_PEER_OPENS || peer == GUARD_PEER_MAY_OPEN)) {
		guard_add_sum((pending->late_limit - 1) & (GUARD_LIMITS_MAX - 1), g);
		return GUARD_DROPS;
	}
	if (!pending->full_scopes)
		return GUARD_PASSES;
	if (peer == GUARD_PEER_UNKNOWN || peer == GUARD_PEER_MAY_OPEN)
		return GUARD_FULL;
	guard_add_sum(GUARD_SUM_KNOWN, g);
	return GUARD_PASSES;
}

#endif
