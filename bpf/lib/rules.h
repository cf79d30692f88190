/* SPDX-License-Identifier: MIT */
/* Evaluates the gate's rules for a packet. */
#ifndef BPF_LIB_RULES_H
#define BPF_LIB_RULES_H

#include "bpf/lib/bpf.h"
#include "bpf/lib/parse.h"
#include "bpf/lib/scratch.h"
#include "bpf/gate.h"

struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_UINT(max_entries, GATE_RULES_MAX);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct gate_hit);
} hits MAP;

/* User space sets its size. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct gate_text);
} rules_text MAP;

/* The rules' code replaces this function. r1: views, r2: data or the skb, r3: data_end. Returns
 * enum gate_answer. */
__noinline int stub_rules(struct view *views, void *packet, void *end)
{
	return stub_answer(0, views, packet, end);
}

/* A packet for the rules. */
struct rules_ctx {
	struct pkt_src src;
	__u32 len; /* of the whole packet, with a tag that was taken out */
	__u32 dir; /* enum gate_dir */
	__u32 ifindex;
	__u32 bare; /* as in struct view_src */
	__u32 groups;
	/* xdp: a constant when this is compiled. Not all verifiers follow that there is an skb
	 * otherwise. */
	bool ethernet, inner, addr_only, xdp;
	bool tagged;  /* a VLAN tag is stored beside the packet */
	__u8 verdict; /* enum view_verdict */
};

/* Fills in the addresses of a parsed IP packet: all that address-only rules need. Returns false if
 * they lie elsewhere, or if there are none. */
static __always_inline bool rules_view_addrs(const struct rules_ctx *a, const struct pkt *p,
					     struct view *v)
{
	/* In halves: only an even address is certain, and some verifiers enforce alignment. */
	const __be16 *at = a->src.data + (p->net & PKT_NET_MASK);
	__u32 words = p->family == GATE_IPV4 ? 1 : 4;

	if (p->bad || p->family > GATE_IPV6)
		return false;
	/* The parser does not look beyond three tags. */
	if (a->tagged && (p->net & PKT_NET_MASK) > ETH_HLEN + sizeof(struct pkt_vlan))
		return false;
	if (p->family == GATE_IPV4) {
		if ((void *)(at + 10) > a->src.end)
			return false;
		v->family = v->addrs = 4;
		*(__u32 *)v->src = view_join_halves(at + 6);
		*(__u32 *)v->dst = view_join_halves(at + 8);
	} else {
		if ((void *)(at + 20) > a->src.end)
			return false;
		v->family = v->addrs = 6;
		for (__u32 i = 0; i < words; i++) {
			((__u32 *)v->src)[i] = view_join_halves(at + 4 + 2 * i);
			((__u32 *)v->dst)[i] = view_join_halves(at + 12 + 2 * i);
		}
	}
	v->type = p->ethertype;
	v->proto = p->proto;
	v->len = a->len;
	return true;
}

/* Evaluates the rules. Returns enum gate_answer. */
static __always_inline __u32 rules_eval(const struct rules_ctx *a, const struct pkt *p)
{
	struct view_src s = { .data = a->src.data,
			      .end = a->src.end,
			      .skb = a->src.skb,
			      .groups = a->groups,
			      .bare = a->bare };
	struct view_work *w;
	__u32 zero = 0;

	/* Reference the map so that the kernel lists it among the program's maps, where user space
	 * finds it. */
	asm volatile("" : : "r"(&rules_text));
	w = bpf_map_lookup_elem(&scratch, &zero);
	if (!w)
		return 0;
	if (!a->addr_only || !rules_view_addrs(a, p, &w->views[0])) {
		view_parse_outer(&s, w, a->len, a->ethernet);
		if (a->inner)
			view_parse_inner(&s, w);
	}
	w->views[0].dir = a->dir == GATE_IN ? VIEW_IN : VIEW_OUT;
	w->views[0].ifindex = a->ifindex;
	w->views[0].verdict = a->verdict;
	return a->xdp ? stub_rules(w->views, s.data, s.end) : stub_rules(w->views, a->src.skb, 0);
}

/* Counts the packet for the rule that decided. */
static __always_inline void rules_count_hit(__u32 answer, __u64 packets, __u64 bytes)
{
	__u32 slot = (answer & GATE_ANSWER_SLOT) - 1;
	struct gate_hit *hit = bpf_map_lookup_elem(&hits, &slot);

	if (!hit)
		return;
	hit->packets += packets;
	hit->bytes += bytes;
	hit->last = bpf_jiffies64();
}

#endif
