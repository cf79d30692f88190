/* SPDX-License-Identifier: MIT */
/* Fills in a struct view from a packet in the kernel, as src/filter/view.c does for files.
 *
 * The parser keeps its state in the map's memory, whose contents the verifier does not track: all
 * paths through the parser end in the same verifier state, so the verifier walks few of them. */
#ifndef BPF_LIB_VIEW_H
#define BPF_LIB_VIEW_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include "bpf/lib/bpf.h"
#include "bpf/view.h"

enum {
	VIEW_EXT_MAX = 6, /* IPv6 extension headers walked: RFC 8200 sec. 4.1 orders five */
	VIEW_LABELS_MAX = 4,
	VIEW_VXLAN = 4789, /* RFC 7348 */
	VIEW_GENEVE = 6081,
	VIEW_BRIDGED = 0x6558, /* GRE's and GENEVE's EtherType of Ethernet */
	/* Limit of a header's offset in the linear part. Even: all headers start at even offsets,
	 * which verifiers that enforce alignment have to see. */
	VIEW_OFF_MASK = 0x3ffe,
};

/* The views and the parser's position: a per-CPU map's value. The volatile members are read from
 * memory each time: in a register, the verifier would track their values. */
struct view_work {
	struct view views[VIEW_LAYERS];
	volatile __u32 off;   /* offset of the next header */
	volatile __u32 proto; /* and its protocol number */
};

/* A packet's bytes. Those of an skb outside [data, end) are read by helper. */
struct view_src {
	void *data, *end;
	struct __sk_buff *skb; /* NULL: all bytes are in [data, end) */
	__u32 groups;          /* enum view_group: the parts to fill in */
	__u32 bare; /* ETH_HLEN: the Ethernet header precedes data (view_is_bare()); else 0 */
};

struct view_eth {
	__be16 dmac[3], smac[3], type;
};
struct view_tag {
	__be16 tci, type;
};
struct view_label {
	__be16 high, low;
};
struct view_ip4 {
	__u8 version_ihl, tos;
	__be16 len, id, frag;
	__u8 ttl, proto;
	__be16 sum, src[2], dst[2];
};
struct view_ip6 {
	__u8 version, traffic;
	__be16 flow, len;
	__u8 next, hops;
	__be16 src[8], dst[8];
};
struct view_ports {
	__be16 sport, dport;
};
struct view_gre {
	__be16 flags, type;
};
struct view_geneve {
	__u8 version_len, flags;
	__be16 type, vni[2];
};
struct view_ext {
	__u8 next, len;
	__be16 frag, id[2];
};
struct view_arp {
	__be16 hardware, protocol;
	__u8 hardware_len, protocol_len;
	__be16 op, sha[3], spa[2], tha[3], tpa[2];
};

/* Returns a pointer to n bytes at off: in the packet or, if they are not in the linear part, in
 * copy. NULL if the packet is shorter. n: a constant, even. */
static __always_inline const void *view_read_bytes(const struct view_src *s, __u32 off, void *copy,
						   __u32 n)
{
	void *at = s->data + (off & VIEW_OFF_MASK);

	/* Forces one register: the compiler would compute the pointer again after the check, and
	 * the verifier would not know that the second one was checked. */
	asm volatile("" : "+r"(at));
	if (off <= VIEW_OFF_MASK && at + n <= s->end)
		return at;
	if (s->skb && !bpf_skb_load_bytes(s->skb, off, copy, n))
		return copy;
	return 0;
}
#define view_read(s, off, copy) \
	((const __typeof__(*(copy)) *)view_read_bytes(s, off, copy, sizeof(*(copy))))

/* Returns true if the packet has at least off bytes: a header that ends there is complete. */
static __always_inline bool view_reaches(const struct view_src *s, __u32 off)
{
	if (s->skb)
		return off <= s->skb->len;
	return off <= VIEW_OFF_MASK + 1 && s->data + off <= s->end;
}

static __always_inline __u32 view_join_halves(const __be16 *half)
{
	union {
		__be16 half[2];
		__u32 whole;
	} w = { .half = { half[0], half[1] } };

	return w.whole;
}

static __always_inline void view_fill_addrs(const struct view_src *s, struct view *v,
					    const __be16 *src, const __be16 *dst, __u32 words)
{
	__u32 *from = (__u32 *)v->src, *to = (__u32 *)v->dst;

	v->addrs = words == 1 ? 4 : 6;
	if (!(s->groups & VIEW_ADDRS))
		return;
	for (__u32 i = 0; i < words; i++) {
		from[i] = view_join_halves(src + 2 * i);
		to[i] = view_join_halves(dst + 2 * i);
	}
}

static __always_inline void view_add_proto(const struct view_src *s, struct view *v, __u32 proto)
{
	if (s->groups & VIEW_CHAIN)
		v->chain[proto / 64 & 3] |= 1ull << proto % 64;
}

/* Sets payload to the offset after the transport header at off, if that is complete. */
static __always_inline void view_fill_payload(const struct view_src *s, struct view *v, __u32 off)
{
	__u32 len = v->proto == IPPROTO_SCTP ? 12 : 8;
	const __be16 *at;
	__be16 word;

	if (!(s->groups & VIEW_PAYLOAD))
		return;
	if (v->proto == IPPROTO_TCP) {
		at = view_read(s, off + 12, &word);
		if (!at)
			return;
		len = (be16(*at) >> 12) * 4;
		if (len < 20)
			return;
	}
	if (view_reaches(s, off + len))
		v->payload = off + len;
}

/* A later fragment has no transport header. */
static __always_inline void view_parse_transport(const struct view_src *s, struct view_work *w,
						 struct view *v)
{
	struct view_ports copy;
	const struct view_ports *ports;
	__u32 off = w->off;

	if (v->fragment == VIEW_LATER)
		return;
	v->trans = off;
	if (v->proto != IPPROTO_TCP && v->proto != IPPROTO_UDP && v->proto != IPPROTO_SCTP)
		return;
	if (!(s->groups & VIEW_PORTS))
		return;
	ports = view_read(s, off, &copy);
	if (!ports)
		return;
	v->sport = be16(ports->sport);
	v->dport = be16(ports->dport);
	v->ports = 1;
	view_fill_payload(s, v, off);
}

static __always_inline void view_parse_ipv4(const struct view_src *s, struct view_work *w,
					    struct view *v)
{
	struct view_ip4 copy;
	const struct view_ip4 *ip = view_read(s, w->off, &copy);
	__u32 frag, len;

	/* Version 4 and a length of at least five words, in one comparison. */
	if (!ip || (__u8)(ip->version_ihl - 0x45) > 10)
		return;
	len = (ip->version_ihl & 15) * 4;
	frag = be16(ip->frag);
	v->family = 4;
	view_fill_addrs(s, v, ip->src, ip->dst, 1);
	v->proto = ip->proto;
	view_add_proto(s, v, ip->proto);
	v->fragment = frag & 0x1fff ? VIEW_LATER : frag & 0x2000 ? VIEW_FIRST : VIEW_WHOLE;
	w->off += len;
	if (view_reaches(s, w->off))
		view_parse_transport(s, w, v);
}

static __always_inline bool view_is_ext(__u32 proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_FRAGMENT ||
	       proto == IPPROTO_DSTOPTS;
}

/* Walks the IPv6 extension headers. Returns false if one is cut off. */
static __always_inline bool view_parse_exts(const struct view_src *s, struct view_work *w,
					    struct view *v)
{
#pragma clang loop unroll(disable)
	for (int i = 0; i < VIEW_EXT_MAX; i++) {
		__u32 next = w->proto & 0xff, frag, units;
		const struct view_ext *ext;
		struct view_ext copy;

		if (!view_is_ext(next) || v->fragment == VIEW_LATER)
			break;
		v->proto = next;
		ext = view_read(s, w->off, &copy);
		if (!ext)
			return false;
		frag = be16(ext->frag);
		units = ext->len;
		if (next == IPPROTO_FRAGMENT) {
			if (frag & 0xfff8)
				v->fragment = VIEW_LATER;
			else if (frag & 1)
				v->fragment = VIEW_FIRST;
			units = 0;
		}
		w->proto = ext->next;
		view_add_proto(s, v, ext->next);
		w->off += 8 + units * 8;
		if (!view_reaches(s, w->off))
			return false;
	}
	return true;
}

static __always_inline void view_parse_ipv6(const struct view_src *s, struct view_work *w,
					    struct view *v)
{
	struct view_ip6 copy;
	const struct view_ip6 *ip = view_read(s, w->off, &copy);

	if (!ip || ip->version >> 4 != 6)
		return;
	v->family = 6;
	view_fill_addrs(s, v, ip->src, ip->dst, 4);
	w->proto = ip->next;
	w->off += sizeof(*ip);
	view_add_proto(s, v, ip->next);
	if (view_is_ext(ip->next) && !view_parse_exts(s, w, v))
		return;
	v->proto = w->proto;
	view_parse_transport(s, w, v);
}

/* Only IPv4 over Ethernet (RFC 826) is in use. */
static __always_inline void view_parse_arp(const struct view_src *s, struct view_work *w,
					   struct view *v)
{
	struct view_arp copy;
	const struct view_arp *a = view_read(s, w->off, &copy);

	if (a && a->protocol == be16(ETH_P_IP) && a->hardware_len == 6 && a->protocol_len == 4)
		view_fill_addrs(s, v, a->spa, a->tpa, 1);
}

/* The EtherType of an IP header without one, from its first four bits (RFC 4928). 0: not IP. */
static __always_inline __u32 view_guess_ip(const struct view_src *s, __u32 off)
{
	__u8 *at = s->data + (off & VIEW_OFF_MASK), first;

	if (off <= VIEW_OFF_MASK && (void *)(at + 1) <= s->end)
		first = *at;
	else if (!s->skb || bpf_skb_load_bytes(s->skb, off, &first, 1))
		return 0;
	return first >> 4 == 4 ? ETH_P_IP : first >> 4 == 6 ? ETH_P_IPV6 : 0;
}

/* Walks the MPLS labels to the bottom of the stack. Returns false if no IP packet follows. */
static __always_inline bool view_parse_labels(const struct view_src *s, struct view_work *w,
					      struct view *v)
{
#pragma clang loop unroll(disable)
	for (int i = 0; i < VIEW_LABELS_MAX; i++) {
		__u32 type, low;
		struct view_label copy;
		const struct view_label *entry = view_read(s, w->off, &copy);

		if (!entry)
			return false;
		low = be16(entry->low);
		if (!v->labels)
			v->label = (__u32)be16(entry->high) << 4 | low >> 12;
		v->labels++;
		w->off += sizeof(*entry);
		if (!(low & 0x100))
			continue;
		type = view_guess_ip(s, w->off);
		if (type)
			v->type = type;
		return type != 0;
	}
	return false;
}

static __always_inline bool view_is_vlan(__u32 type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD || type == ETH_P_QINQ1;
}

/* Parses one VLAN tag. Returns false if it is cut off. */
static __always_inline bool view_parse_vlan(const struct view_src *s, struct view_work *w,
					    struct view *v)
{
	struct view_tag copy;
	const struct view_tag *tag = view_read(s, w->off, &copy);

	if (!tag)
		return false;
	v->vlan[v->vlans & 1] = be16(tag->tci) & 0xfff;
	v->vlans++;
	v->type = be16(tag->type);
	w->off += sizeof(*tag);
	return true;
}

/* Parses from the header at w->off on, whose EtherType is v->type. */
static __always_inline void view_parse_network(const struct view_src *s, struct view_work *w,
					       struct view *v)
{
#pragma clang loop unroll(disable)
	for (int i = 0; i < VIEW_VLANS_MAX; i++) {
		if (!view_is_vlan(v->type) || v->vlans >= VIEW_VLANS_MAX)
			break;
		if (!view_parse_vlan(s, w, v))
			return;
	}
	if ((v->type == ETH_P_MPLS_UC || v->type == ETH_P_MPLS_MC) && !view_parse_labels(s, w, v))
		return;
	v->net = w->off;
	if (v->type == ETH_P_IP)
		view_parse_ipv4(s, w, v);
	else if (v->type == ETH_P_IPV6)
		view_parse_ipv6(s, w, v);
	else if (v->type == ETH_P_ARP || v->type == ETH_P_RARP)
		view_parse_arp(s, w, v);
}

static __always_inline void view_fill_macs(const struct view_src *s, struct view *v,
					   const struct view_eth *eth)
{
	__be16 *dmac = (__be16 *)v->dmac, *smac = (__be16 *)v->smac;

	v->type = be16(eth->type);
	if (!(s->groups & VIEW_MACS))
		return;
	for (int i = 0; i < 3; i++) {
		dmac[i] = eth->dmac[i];
		smac[i] = eth->smac[i];
	}
}

/* Parses the Ethernet header at w->off. Returns false if it is cut off. */
static __always_inline bool view_parse_ethernet(const struct view_src *s, struct view_work *w,
						struct view *v)
{
	struct view_eth copy;
	const struct view_eth *eth = view_read(s, w->off, &copy);

	if (!eth)
		return false;
	v->link = w->off;
	view_fill_macs(s, v, eth);
	w->off += sizeof(*eth);
	return true;
}

/* Returns true if skb->data points to the network header although the packet has an Ethernet header
 * before it: some kernels (6.18 among them) pass such an skb to tc programs after generic XDP. The
 * first test rules this out for most packets without a helper call: their bytes have skb->protocol
 * at the place of the EtherType, and do not start as an IP header does. */
static __always_inline bool view_is_bare(struct __sk_buff *skb)
{
	struct view_src s = { .data = (void *)(long)skb->data,
			      .end = (void *)(long)skb->data_end,
			      .skb = skb };
	struct view_eth before, copy;
	const struct view_eth *eth = view_read(&s, 0, &copy);
	__u8 version = eth ? *(const __u8 *)eth >> 4 : 0;

	if (eth && eth->type == (__be16)skb->protocol && version != 4 && version != 6)
		return false;
	if (bpf_skb_load_bytes_relative(skb, 0, &before, sizeof(before), BPF_HDR_START_MAC))
		return false;
	return !eth || before.type != eth->type || before.dmac[0] != eth->dmac[0];
}

/* Parses the Ethernet header that precedes data. Its bytes have no offset in the packet. */
static __always_inline bool view_parse_bare(const struct view_src *s, struct view *v)
{
	struct view_eth eth;

	if (bpf_skb_load_bytes_relative(s->skb, 0, &eth, sizeof(eth), BPF_HDR_START_MAC))
		return false;
	view_fill_macs(s, v, &eth);
	return true;
}

static __always_inline void view_init(const struct view_src *s, struct view *v, __u32 len)
{
	__builtin_memset(v, 0, offsetof(struct view, dmac));
	if (s->groups & VIEW_MACS)
		__builtin_memset(v->dmac, 0, sizeof(v->dmac) + sizeof(v->smac));
	if (s->groups & VIEW_ADDRS)
		__builtin_memset(v->src, 0, sizeof(v->src) + sizeof(v->dst));
	if (s->groups & VIEW_CHAIN)
		__builtin_memset(v->chain, 0, sizeof(v->chain));
	if (s->groups & VIEW_OWNER)
		__builtin_memset(&v->cgroup, 0, sizeof(*v) - offsetof(struct view, cgroup));
	v->len = len;
	v->link = v->net = v->trans = v->proto = v->payload = VIEW_NONE;
}

/* Skips a GRE header: RFC 2784 and 2890 (checksum, key and sequence number are optional). */
static __always_inline bool view_skip_gre(const struct view_src *s, struct view_work *w,
					  __u32 *type)
{
	struct view_gre copy;
	const struct view_gre *gre = view_read(s, w->off, &copy);
	__u32 flags;

	if (!gre)
		return false;
	flags = be16(gre->flags);
	*type = be16(gre->type);
	if (flags & 0x4007) /* routing, which is obsolete, and versions other than 0 */
		return false;
	w->off += 4 + (flags >> 15 & 1) * 4 + (flags >> 13 & 1) * 4 + (flags >> 12 & 1) * 4;
	return true;
}

/* Skips the UDP and GENEVE headers: RFC 8926, options in units of 4 bytes. */
static __always_inline bool view_skip_geneve(const struct view_src *s, struct view_work *w,
					     __u32 *type)
{
	struct view_geneve copy;
	const struct view_geneve *geneve = view_read(s, w->off + 8, &copy);

	if (!geneve || geneve->version_len >> 6)
		return false;
	*type = be16(geneve->type);
	w->off += 8 + sizeof(*geneve) + (geneve->version_len & 0x3f) * 4;
	return true;
}

/* Moves w->off to the packet that a tunnel carries. *type: its EtherType, 0 for Ethernet. Returns
 * false if it is no tunnel or is cut off. */
static __always_inline bool view_enter_tunnel(const struct view_src *s, struct view_work *w,
					      __u32 *type)
{
	struct view *v = &w->views[0];

	if (v->trans == VIEW_NONE)
		return false;
	w->off = v->trans;
	*type = 0;
	if (v->proto == IPPROTO_IPIP) {
		*type = ETH_P_IP;
	} else if (v->proto == IPPROTO_IPV6) {
		*type = ETH_P_IPV6;
	} else if (v->proto == IPPROTO_GRE) {
		if (!view_skip_gre(s, w, type))
			return false;
	} else if (v->proto == IPPROTO_UDP && v->ports && v->dport == VIEW_VXLAN) {
		w->off += 16;
	} else if (v->proto != IPPROTO_UDP || !v->ports || v->dport != VIEW_GENEVE ||
		   !view_skip_geneve(s, w, type)) {
		return false;
	}
	if (*type == VIEW_BRIDGED)
		*type = 0;
	return view_reaches(s, w->off);
}

/* Length of the VLAN tag that is in the skb's metadata and not in its bytes: hardware removed it,
 * or will insert it. */
static __always_inline __u32 view_hidden_tag_len(const struct view_src *s)
{
	return s->skb && s->skb->vlan_present ? sizeof(struct view_tag) : 0;
}

static __always_inline void view_parse_inner(const struct view_src *s, struct view_work *w)
{
	struct view *outer = &w->views[0], *v = &w->views[1];
	__u32 type = 0;

	view_init(s, v, 0);
	if (!view_enter_tunnel(s, w, &type))
		return;
	v->len = outer->len - view_hidden_tag_len(s) - s->bare - w->off;
	v->type = type;
	if (type || view_parse_ethernet(s, w, v))
		view_parse_network(s, w, v);
}

/* Fills in the packet's own view. len: all its bytes, with a hidden tag. */
static __always_inline void view_parse_outer(const struct view_src *s, struct view_work *w,
					     __u32 len, bool ethernet)
{
	struct view *v = &w->views[0];

	view_init(s, v, len);
	w->off = 0;
	if (s->bare) {
		if (!view_parse_bare(s, v))
			return;
	} else if (ethernet) {
		if (!view_parse_ethernet(s, w, v))
			return;
	} else {
		v->type = view_guess_ip(s, 0);
		if (!v->type)
			return;
	}
	if (view_hidden_tag_len(s)) {
		v->vlan[0] = s->skb->vlan_tci & 0xfff;
		v->vlans = 1;
	}
	view_parse_network(s, w, v);
}

#endif
