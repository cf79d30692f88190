/* SPDX-License-Identifier: MIT */
/* The gate's rules, asked about a packet. */
#ifndef BPF_LIB_RULES_H
#define BPF_LIB_RULES_H

#include "bpf/lib/bpf.h"
#include "bpf/lib/parse.h"
#include "bpf/lib/work.h"
#include "bpf/gate.h"

struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_UINT(max_entries, GATE_RULES_MAX);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct gate_hit);
} hits MAP;

/* As long as need be. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct gate_text);
} text MAP;

/* The rules' place: their code is put here. r1: views, r2: data or the skb, r3: data_end. Returns
 * enum gate_answer. */
__noinline int stub_judge(struct view *views, void *packet, void *end)
{
	return stub_answer(0, views, packet, end);
}

/* A packet as the rules are asked about it. */
struct rules_ask {
	struct pkt_src src;
	__u32 len; /* of all its bytes, with a hidden tag */
	__u32 dir; /* enum gate_dir */
	__u32 ifindex;
	__u32 bare; /* as view_src has it */
	__u32 groups;
	/* xdp: known when this is compiled; that the skb is there, is nothing all verifiers know.
	 */
	bool ethernet, inner, light, xdp;
	bool tagged;  /* a tag stands beside the packet */
	__u8 verdict; /* enum view_verdict */
};

/* Addresses of an IP packet that has been parsed: no more is asked for. False: they are somewhere
 * else, or there are none. */
static __always_inline bool rules_light(const struct rules_ask *a, const struct pkt *p,
					struct view *v)
{
	const __u32 *at = a->src.data + (p->net & PKT_NET_MASK);
	__u32 words = p->family == GATE_IPV4 ? 1 : 4;

	if (p->bad || p->family > GATE_IPV6)
		return false;
	/* Of three tags the last is not looked behind. */
	if (a->tagged && (p->net & PKT_NET_MASK) > ETH_HLEN + sizeof(struct pkt_vlan))
		return false;
	if (p->family == GATE_IPV4) {
		if ((void *)(at + 5) > a->src.end)
			return false;
		v->family = v->addrs = 4;
		*(__u32 *)v->src = at[3];
		*(__u32 *)v->dst = at[4];
	} else {
		if ((void *)(at + 10) > a->src.end)
			return false;
		v->family = v->addrs = 6;
		for (__u32 i = 0; i < words; i++) {
			((__u32 *)v->src)[i] = at[2 + i];
			((__u32 *)v->dst)[i] = at[6 + i];
		}
	}
	v->type = p->ethertype;
	v->proto = p->proto;
	v->len = a->len;
	return true;
}

/* What the rules answer (enum gate_answer). */
static __always_inline __u32 rules_judge(const struct rules_ask *a, const struct pkt *p)
{
	struct view_src s = { .data = a->src.data,
			      .end = a->src.end,
			      .skb = a->src.skb,
			      .groups = a->groups,
			      .bare = a->bare };
	struct view_work *w;
	__u32 zero = 0;

	/* No use is made of it here; but what a program names, is found by it. */
	asm volatile("" : : "r"(&text));
	w = bpf_map_lookup_elem(&work, &zero);
	if (!w)
		return 0;
	if (!a->light || !rules_light(a, p, &w->views[0])) {
		view_outer(&s, w, a->len, a->ethernet);
		if (a->inner)
			view_inner(&s, w);
	}
	w->views[0].dir = a->dir == GATE_IN ? VIEW_IN : VIEW_OUT;
	w->views[0].ifindex = a->ifindex;
	w->views[0].verdict = a->verdict;
	return a->xdp ? stub_judge(w->views, s.data, s.end) : stub_judge(w->views, a->src.skb, 0);
}

/* Note that a rule decided. */
static __always_inline void rules_hit(__u32 answer, __u64 packets, __u64 bytes)
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
