// SPDX-License-Identifier: MIT
/* The gate of one interface: applies the rules and the guard to every packet, and counts it by what
 * it is and by its verdict. */
#include <linux/tcp.h>
#include <linux/udp.h>
#include "bpf/lib/bpf.h"
#include "bpf/lib/decision.h"
#include "bpf/lib/parse.h"
#include "bpf/lib/rules.h"
#include "bpf/gate.h"

/* Leaves the packet to the next program: TCX_NEXT of tcx, TC_ACT_UNSPEC of cls_bpf. */
#define TC_NEXT -1
#define TC_DROP 2 /* TC_ACT_SHOT, TCX_DROP */

enum {
	OTHER_MAX = 1024,
	HEADERS_MIN = ETH_HLEN + sizeof(struct ipv6hdr), /* linear bytes that parsing needs */
	HEADERS_MAX = 128,                               /* bytes to pull if fewer are linear */
};

const volatile struct gate_conf conf = { .magic = GATE_MAGIC, .version = GATE_VERSION };

#include "bpf/lib/cookie.h"
#include "bpf/lib/guard.h"

struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_UINT(max_entries, GATE_DIRS *GATE_VERDICTS);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct gate_counters_val);
} counters MAP;

/* Not preallocated: a host sees a handful of these protocols, an attacker may send all of them. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_HASH);
	MAP_UINT(max_entries, OTHER_MAX);
	MAP_UINT(map_flags, BPF_F_NO_PREALLOC);
	MAP_TYPE(key, struct gate_other_key);
	MAP_TYPE(value, struct gate_sum);
} counters_other MAP;

struct {
	MAP_UINT(type, BPF_MAP_TYPE_PROG_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, __u32);
} observer MAP;

struct {
	MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct gate_successor);
} successor MAP;

/* Where to count a packet: in a slot, or in the hash under its family and protocol. */
struct counter_key {
	__u32 slot;
	__u16 proto; /* as in struct gate_other_key */
	__u8 family;
};

static __always_inline struct counter_key counter_key_of(const struct pkt *p)
{
	struct counter_key key = { .proto = p->proto, .family = p->family };

	switch (p->family) {
	case GATE_IPV4:
		key.slot = p->bad ? GATE_SLOT_BAD : pkt_protos[p->proto] & PKT_SLOT;
		break;
	case GATE_IPV6:
		key.slot = GATE_SLOT_GROUP6 +
			   (p->bad ? GATE_SLOT_BAD : pkt_protos[p->proto] & PKT_SLOT);
		break;
	case GATE_ARP:
		key.slot = GATE_SLOT_ARP;
		break;
	default:
		key.slot = GATE_SLOT_OTHER + (p->bad ? GATE_SLOT_BAD : GATE_SLOT_OTHER_PROTO);
		/* Smaller values are lengths: LLC frames of IEEE 802.3 count as one protocol. */
		key.proto = p->ethertype < ETH_P_802_3_MIN ? ETH_P_802_2 : p->ethertype;
		break;
	}
	return key;
}

static __always_inline struct gate_sum *find_other_sum(__u64 bits)
{
	struct gate_sum zero = {}, *sum;

	sum = bpf_map_lookup_elem(&counters_other, &bits);
	if (sum)
		return sum;
	/* Another CPU may have added the entry first: use either. */
	bpf_map_update_elem(&counters_other, &bits, &zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(&counters_other, &bits);
}

/* Every counter belongs to one CPU, and a CPU runs one of an interface's packets at a time: plain
 * additions lose nothing. */
static __always_inline void count_packet(const struct counter_key *counter, __u32 dir,
					 __u32 verdict, __u64 packets, __u64 bytes)
{
	__u32 key = dir * GATE_VERDICTS + verdict;
	struct gate_sum *sum = 0;
	struct gate_counters_val *line;

	/* Reference the map so that the kernel lists it among the program's maps, where readers
	 * find it. */
	asm volatile("" : : "r"(&successor));
	if (counter->slot % GATE_SLOT_GROUP == GATE_SLOT_OTHER_PROTO) {
		union {
			struct gate_other_key key;
			__u64 bits;
		} k = { .key = { .dir = dir, .verdict = verdict } };

		k.key.family = counter->family;
		k.key.proto = counter->proto;
		sum = find_other_sum(k.bits);
	}
	if (!sum) {
		line = bpf_map_lookup_elem(&counters, &key);
		if (!line || counter->slot >= GATE_SLOTS)
			return;
		sum = &line->slot[counter->slot];
	}
	sum->packets += packets;
	sum->bytes += bytes;
}

/* Returns the verdict, or the result of the observer if the gate has one. */
static __always_inline int call_observer(struct xdp_md *ctx, __u32 action)
{
	__u32 zero = 0, *slot = bpf_map_lookup_elem(&decision, &zero);

	if (slot)
		*slot = action;
	/* Where programs are interpreted (since 6.12), a tail-called program gets no more stack
	 * than this one: use all of it that the rules leave. */
	if (conf.has_rules || conf.has_allow)
		asm volatile("*(u64 *)(r10 - 384) = %0" : : "r"(0ull) : "memory");
	else
		asm volatile("*(u64 *)(r10 - 512) = %0" : : "r"(0ull) : "memory");
	bpf_tail_call(ctx, &observer, 0);
	return action;
}

static __always_inline __u32 rules_answer_xdp(const struct pkt_src *src, const struct pkt *p,
					      __u64 bytes, __u8 verdict)
{
	struct rules_ctx rules = {
		.src = *src,
		.len = bytes,
		.dir = GATE_IN,
		.ifindex = conf.ifindex,
		.groups = conf.groups,
		.ethernet = conf.ethernet,
		.inner = conf.inner,
		.addr_only = conf.addr_only,
		.verdict = verdict,
		.xdp = true,
	};

	return rules_eval(&rules, p);
}

/* Returns the guard's action for a packet that the rules pass. In a dry run only its counters show
 * the action. */
static __always_inline __u32 guard_action_xdp(struct xdp_md *ctx, const struct pkt_src *src,
					      struct pkt *p, __u64 bytes, __u64 opaque_bytes)
{
	__u32 drop_action = GUARD_CONF.enforce ? XDP_DROP : XDP_PASS;
	struct guard_pkt g = { .packets = 1, .bytes = bytes };
	enum guard_verdict verdict = GUARD_PASSES;
	struct guard_pending pending;
	struct pkt_src reread;
	__u32 answer = 0;
	bool replied = false;

	if (conf.has_allow)
		answer = rules_answer_xdp(src, p, bytes, VIEW_DROP);
	if (!guard_parse(&g, src, p) || guard_is_allowed(&g, answer))
		return XDP_PASS;
	guard_hide_from_verifier(&g, p, bytes - opaque_bytes);
	if (guard_check_packet(&g, &pending) == GUARD_DROPS)
		return drop_action;
	reread = (struct pkt_src){ (void *)(long)ctx->data, (void *)(long)ctx->data_end, 0 };
	if (pending.full_scopes || (GUARD_CONF.conns && pending.late_limit))
		verdict = guard_resolve_pending(ctx, &g, &pending, &reread);
	if (verdict == GUARD_DROPS)
		return drop_action;
	if (GUARD_CONF.cookies && g.syn && g.flags) {
		if (cookie_reply(ctx, &g, &reread, conf.ethernet, &replied) == GUARD_DROPS)
			return XDP_DROP;
		if (replied) {
			guard_add_sum(GUARD_SUM_COOKIES, &g);
			return XDP_TX;
		}
	}
	return verdict == GUARD_FULL && guard_check_shared(&g, pending.full_scopes) == GUARD_DROPS
		       ? drop_action
		       : XDP_PASS;
}

static __always_inline int handle_xdp(struct xdp_md *ctx, bool guarded)
{
	struct pkt_src src = { (void *)(long)ctx->data, (void *)(long)ctx->data_end, 0 };
	__u64 bytes = conf.multibuf ? bpf_xdp_get_buff_len(ctx) : (__u64)(src.end - src.data);
	__u64 opaque_bytes = bytes;
	__u32 answer = 0, action;
	struct pkt p = {};
	struct counter_key counter;

	pkt_parse(&p, &src, conf.ethernet, 0);
	counter = counter_key_of(&p);
	pkt_opaque(opaque_bytes);
	counter.slot = pkt_blur(counter.slot, GATE_SLOT_MASK, bytes,
				opaque_bytes); /* one verifier state from here on */
	if (conf.has_rules)
		answer = rules_answer_xdp(&src, &p, bytes, VIEW_VERDICT_UNKNOWN);
	if (answer & GATE_ANSWER_SLOT)
		rules_count_hit(answer, 1, bytes);
	action = answer & GATE_ANSWER_DROP ? XDP_DROP : XDP_PASS;
	if (guarded && action == XDP_PASS)
		action = guard_action_xdp(ctx, &src, &p, bytes, opaque_bytes);
	count_packet(&counter, GATE_IN, action, 1, bytes);
	return conf.has_observer ? call_observer(ctx, action) : (int)action;
}

/* With the guard a program is three times as long, and the verifier takes three times as long even
 * if the guard is unreachable: so there are programs without it. */
SEC("xdp")
int sonde_gate_xdp(struct xdp_md *ctx)
{
	return handle_xdp(ctx, false);
}

SEC("xdp")
int sonde_guard_xdp(struct xdp_md *ctx)
{
	return handle_xdp(ctx, true);
}

/* Bytes before each segment's payload, which the kernel repeats: up to the end of the TCP header,
 * whose length in words is in the upper half of its 13th byte, or of the UDP header. */
static __always_inline __u32 skb_header_len(struct __sk_buff *skb, const struct pkt *p)
{
	__u8 words = sizeof(struct tcphdr) / 4 << 4;

	bpf_skb_load_bytes(skb, p->off + 12, &words, sizeof(words));
	return p->off + sizeof(struct udphdr) +
	       pkt_equal(p->proto, IPPROTO_TCP) * ((words >> 4) * 4 - sizeof(struct udphdr));
}

/* A packet that the device splits into segments (out) or that GRO joined from segments (in) counts
 * as those. gso_segs is 0 in packets from a guest: compute it from gso_size then. */
static __always_inline void skb_wire_size(struct __sk_buff *skb, const struct pkt *p, __u32 dir,
					  __u64 *packets, __u64 *bytes)
{
	__u32 size = skb->gso_size, segs = skb->gso_segs, header;

	*packets = 1;
	*bytes = skb->len;
	if (size) {
		header = skb_header_len(skb, p);
		if (!segs && skb->len > header)
			segs = (skb->len - header + size - 1) / size;
		if (segs > 1) {
			*packets = segs;
			*bytes += (__u64)(segs - 1) * header;
			/* For outgoing packets the kernel has computed it too, including a tunnel's
			 * inner headers (qdisc_pkt_len_init() in net/core/dev.c). */
			if (dir == GATE_OUT && skb->wire_len > *bytes)
				*bytes = skb->wire_len;
		}
	}
	if (skb->vlan_present)
		*bytes += *packets * sizeof(struct pkt_vlan);
}

static __always_inline __u32 rules_answer_skb(struct __sk_buff *skb, const struct pkt_src *src,
					      const struct pkt *p, __u32 dir, __u32 bare,
					      __u8 verdict)
{
	struct rules_ctx rules = {
		.src = *src,
		.len = skb->len + bare + (skb->vlan_present ? sizeof(struct pkt_vlan) : 0),
		.dir = dir,
		.ifindex = conf.ifindex,
		.bare = bare,
		.groups = conf.groups,
		.ethernet = conf.ethernet,
		.inner = conf.inner,
		.addr_only = conf.addr_only,
		.verdict = verdict,
		.tagged = skb->vlan_present,
	};

	return rules_eval(&rules, p);
}

/* The link-layer and IP headers may lie outside the linear part. Pull them only then, as that may
 * copy. */
static __always_inline void skb_pull_headers(struct __sk_buff *skb)
{
	__u32 min = HEADERS_MIN;

	if (pkt_is_vlan(be16(skb->protocol)))
		min += 2 * sizeof(struct pkt_vlan);
	if (skb->data_end - skb->data < min && skb->data_end - skb->data < skb->len)
		bpf_skb_pull_data(skb, skb->len < HEADERS_MAX ? skb->len : HEADERS_MAX);
}

static __always_inline bool guard_drops_skb(struct __sk_buff *skb, struct pkt *p, __u32 bare,
					    __u64 packets, __u64 bytes)
{
	struct pkt_src src = { (void *)(long)skb->data, (void *)(long)skb->data_end, skb };
	struct guard_pkt g = { .packets = packets, .bytes = bytes };
	enum guard_verdict verdict = GUARD_PASSES;
	struct guard_pending pending;
	__u32 answer = 0;

	if (conf.has_allow)
		answer = rules_answer_skb(skb, &src, p, GATE_IN, bare, VIEW_DROP);
	if (!guard_parse(&g, &src, p) || guard_is_allowed(&g, answer))
		return false;
	guard_hide_from_verifier(&g, p, pkt_reread(skb->len) - pkt_reread(skb->len));
	verdict = guard_check_packet(&g, &pending);
	if (verdict == GUARD_PASSES &&
	    (pending.full_scopes || (GUARD_CONF.conns && pending.late_limit)))
		verdict = guard_resolve_pending(skb, &g, &pending, &src);
	if (verdict == GUARD_FULL)
		verdict = guard_check_shared(&g, pending.full_scopes);
	return verdict == GUARD_DROPS && GUARD_CONF.enforce;
}

static __always_inline int handle_skb(struct __sk_buff *skb, __u32 dir, bool guarded)
{
	struct pkt_src src = { .skb = skb };
	struct pkt p = {};
	__u64 packets, bytes;
	struct counter_key counter;
	__u32 bare = 0, answer = 0;
	bool drops;

	skb_pull_headers(skb);
	src.data = (void *)(long)skb->data;
	src.end = (void *)(long)skb->data_end;
	if (conf.ethernet && dir == GATE_IN && view_is_bare(skb))
		bare = ETH_HLEN;
	pkt_parse(&p, &src, conf.ethernet && !bare, bare ? be16((__u16)skb->protocol) : 0);
	counter = counter_key_of(&p);
	/* One verifier state from here on. */
	counter.slot =
		pkt_blur(counter.slot, GATE_SLOT_MASK, pkt_reread(skb->len), pkt_reread(skb->len));
	if (conf.has_rules)
		answer = rules_answer_skb(skb, &src, &p, dir, bare, VIEW_VERDICT_UNKNOWN);
	skb_wire_size(skb, &p, dir, &packets, &bytes);
	bytes += packets * bare; /* the Ethernet header precedes skb->data */
	if (answer & GATE_ANSWER_SLOT)
		rules_count_hit(answer, packets, bytes);
	drops = answer & GATE_ANSWER_DROP;
	if (guarded && !drops)
		drops = guard_drops_skb(skb, &p, bare, packets, bytes);
	count_packet(&counter, dir, drops ? GATE_DROP : GATE_PASS, packets, bytes);
	return drops ? TC_DROP : TC_NEXT;
}

SEC("tc")
int sonde_gate_in(struct __sk_buff *skb)
{
	return handle_skb(skb, GATE_IN, false);
}

SEC("tc")
int sonde_guard_in(struct __sk_buff *skb)
{
	return handle_skb(skb, GATE_IN, true);
}

SEC("tc")
int sonde_gate_out(struct __sk_buff *skb)
{
	return handle_skb(skb, GATE_OUT, false);
}

LICENSE("Dual MIT/GPL");
