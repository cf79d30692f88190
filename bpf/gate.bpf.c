// SPDX-License-Identifier: MIT
/* The gate of one interface: counts every packet by what it is and what became of it. */
#include <linux/tcp.h>
#include <linux/udp.h>
#include "bpf/lib/bpf.h"
#include "bpf/lib/parse.h"
#include "bpf/gate.h"

/* "Not mine to decide": the next program is asked. The same number serves tcx (TCX_NEXT) and
 * cls_bpf (TC_ACT_UNSPEC). */
#define TC_NEXT -1

enum {
	RARE_MAX = 1024,
	HEADERS_MAX = 256, /* bytes before a transport header that are worth a pull */
};

const volatile struct gate_conf conf = { .magic = GATE_MAGIC, .version = GATE_VERSION };

struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_UINT(max_entries, GATE_DIRS *GATE_VERDICTS);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct gate_hot);
} hot MAP;

/* Not preallocated: a host sees a handful of these protocols, an attacker may send all of them. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_HASH);
	MAP_UINT(max_entries, RARE_MAX);
	MAP_UINT(map_flags, BPF_F_NO_PREALLOC);
	MAP_TYPE(key, struct gate_rare_key);
	MAP_TYPE(value, struct gate_sum);
} rare MAP;

static __always_inline __u32 slot_ip(const struct pkt *p, __u32 base, __u8 icmp)
{
	if (p->bad)
		return base + GATE_SLOT_BAD4;
	if (p->proto == IPPROTO_TCP)
		return base + GATE_SLOT_TCP4;
	if (p->proto == IPPROTO_UDP)
		return base + GATE_SLOT_UDP4;
	if (p->proto == icmp)
		return base + GATE_SLOT_ICMP4;
	return GATE_SLOT_RARE;
}

static __always_inline __u32 slot_of(const struct pkt *p)
{
	switch (p->family) {
	case GATE_IPV4:
		return slot_ip(p, GATE_SLOT_TCP4, IPPROTO_ICMP);
	case GATE_IPV6:
		return slot_ip(p, GATE_SLOT_TCP6, IPPROTO_ICMPV6);
	case GATE_ARP:
		return GATE_SLOT_ARP;
	default:
		return p->bad ? GATE_SLOT_BAD : GATE_SLOT_RARE;
	}
}

static __always_inline __u32 slot_more(const struct pkt *p)
{
	if (p->family == GATE_IPV4)
		return GATE_SLOT_MORE4;
	return p->family == GATE_IPV6 ? GATE_SLOT_MORE6 : GATE_SLOT_MORE;
}

static __noinline struct gate_sum *rare_sum(const struct pkt *p, __u32 dir, __u32 verdict)
{
	struct gate_rare_key key = { .dir = dir, .family = p->family, .verdict = verdict };
	struct gate_sum zero = {}, *sum;

	key.proto = p->family == GATE_OTHER ? p->ethertype : p->proto;
	/* A length in the type's place (IEEE 802.3) says nothing: one key serves all of them. */
	if (p->family == GATE_OTHER && p->ethertype < ETH_P_802_3_MIN)
		key.proto = ETH_P_802_2;
	sum = bpf_map_lookup_elem(&rare, &key);
	if (sum)
		return sum;
	/* Another CPU may win this race; its entry is as good. */
	bpf_map_update_elem(&rare, &key, &zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(&rare, &key);
}

/* Every counter belongs to one CPU, and a CPU runs one of an interface's packets at a time: plain
 * additions lose nothing. */
static __always_inline void count(const struct pkt *p, __u32 dir, __u32 verdict, __u64 packets,
				  __u64 bytes)
{
	__u32 key = dir * GATE_VERDICTS + verdict, slot = slot_of(p);
	struct gate_sum *sum = 0;
	struct gate_hot *line;

	if (slot == GATE_SLOT_RARE) {
		sum = rare_sum(p, dir, verdict);
		slot = slot_more(p);
	}
	if (!sum) {
		line = bpf_map_lookup_elem(&hot, &key);
		if (!line || slot >= GATE_SLOTS)
			return;
		sum = &line->slot[slot];
	}
	sum->packets += packets;
	sum->bytes += bytes;
}

SEC("xdp")
int sonde_gate_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct pkt p = {};
	__u64 bytes = conf.multibuf ? bpf_xdp_get_buff_len(ctx) : (__u64)(end - data);

	pkt_parse(&p, data, end, conf.ethernet);
	count(&p, GATE_IN, XDP_PASS, 1, bytes);
	return XDP_PASS;
}

static __noinline int skb_parse(struct __sk_buff *skb, struct pkt *p)
{
	*p = (struct pkt){};
	pkt_parse(p, (void *)(long)skb->data, (void *)(long)skb->data_end, conf.ethernet);
	return p->bad;
}

/* Bytes before the payload of each segment, as the kernel will repeat them. */
static __always_inline __u32 skb_header_len(struct __sk_buff *skb, const struct pkt *p)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 off = p->l4_off;
	struct tcphdr *tcp;

	if (p->proto != IPPROTO_TCP)
		return off + sizeof(struct udphdr);
	if (off > HEADERS_MAX)
		return off + sizeof(*tcp);
	tcp = data + off;
	if ((void *)(tcp + 1) > end)
		return off + sizeof(*tcp);
	return off + tcp->doff * 4;
}

/* A packet that the device (out) or GRO (in) cuts into or joined from segments counts as those.
 * gso_segs is 0 in packets that came from a guest: reckon it from gso_size then. */
static __always_inline void skb_wire(struct __sk_buff *skb, const struct pkt *p, __u64 *packets,
				     __u64 *bytes)
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
		}
	}
	if (skb->vlan_present)
		*bytes += *packets * sizeof(struct pkt_vlan);
}

/* Headers may lie outside the linear part: only then are they pulled in, for that may copy. */
static __always_inline int skb_count(struct __sk_buff *skb, __u32 dir)
{
	__u64 packets, bytes;
	struct pkt p;

	if (skb_parse(skb, &p) && skb->len > skb->data_end - skb->data) {
		bpf_skb_pull_data(skb, skb->len < HEADERS_MAX ? skb->len : HEADERS_MAX);
		skb_parse(skb, &p);
	}
	skb_wire(skb, &p, &packets, &bytes);
	count(&p, dir, GATE_PASS, packets, bytes);
	return TC_NEXT;
}

SEC("tc")
int sonde_gate_in(struct __sk_buff *skb)
{
	return skb_count(skb, GATE_IN);
}

SEC("tc")
int sonde_gate_out(struct __sk_buff *skb)
{
	return skb_count(skb, GATE_OUT);
}

LICENSE("Dual MIT/GPL");
