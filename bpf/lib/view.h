/* SPDX-License-Identifier: MIT */
/* A struct view filled in from a packet: what src/filter/view.c does for files, in the kernel.
 *
 * All that is known of the packet goes through the map's memory, where the verifier forgets it: so
 * every path through the parser ends in the same state, and its work stays small. */
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
	/* In the linear part headers are found up to here; all begin at even offsets, which
	 * verifiers that insist on alignment are to know. */
	VIEW_OFF_MASK = 0x3ffe,
};

/* The views and where the parser stands: a per-CPU map's value. What is volatile is read from there
 * each time: a register that kept it would keep what the verifier knows of it, too. */
struct view_work {
	struct view views[VIEW_LAYERS];
	volatile __u32 off;   /* of the header to be read next */
	volatile __u32 proto; /* that it is of */
};

/* Where a packet is read. What lies outside [data, end) of an skb is read by helper. */
struct view_src {
	void *data, *end;
	struct __sk_buff *skb; /* 0: all there is, is in [data, end) */
	__u32 groups;          /* enum view_group: the parts that are wanted */
	__u32 bare; /* ETH_HLEN: the Ethernet header is in front of the packet (view_is_bare());
		     * else 0 */
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

/* n bytes, a constant even number, where they are or, if they are not in the linear part, in copy.
 * 0: they are not all there. */
static __always_inline const void *view_at(const struct view_src *s, __u32 off, void *copy, __u32 n)
{
	void *at = s->data + (off & VIEW_OFF_MASK);

	/* What is compared is what is read from, not another sum of the same numbers. */
	asm volatile("" : "+r"(at));
	if (off <= VIEW_OFF_MASK && at + n <= s->end)
		return at;
	if (s->skb && !bpf_skb_load_bytes(s->skb, off, copy, n))
		return copy;
	return 0;
}
#define view_read(s, off, copy) \
	((const __typeof__(*(copy)) *)view_at(s, off, copy, sizeof(*(copy))))

/* A header that ends there is whole, though nobody reads on. */
static __always_inline bool view_reaches(const struct view_src *s, __u32 off)
{
	if (s->skb)
		return off <= s->skb->len;
	return off <= VIEW_OFF_MASK + 1 && s->data + off <= s->end;
}

static __always_inline __u32 view_words(const __be16 *half)
{
	union {
		__be16 half[2];
		__u32 whole;
	} w = { .half = { half[0], half[1] } };

	return w.whole;
}

static __always_inline void view_addrs(const struct view_src *s, struct view *v, const __be16 *src,
				       const __be16 *dst, __u32 words)
{
	__u32 *from = (__u32 *)v->src, *to = (__u32 *)v->dst;

	v->addrs = words == 1 ? 4 : 6;
	if (!(s->groups & VIEW_ADDRS))
		return;
	for (__u32 i = 0; i < words; i++) {
		from[i] = view_words(src + 2 * i);
		to[i] = view_words(dst + 2 * i);
	}
}

static __always_inline void view_chain(const struct view_src *s, struct view *v, __u32 proto)
{
	if (s->groups & VIEW_CHAIN)
		v->chain[proto / 64 & 3] |= 1ull << proto % 64;
}

/* Behind the transport header at off, if that is whole. */
static __always_inline void view_payload(const struct view_src *s, struct view *v, __u32 off)
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
static __always_inline void view_transport(const struct view_src *s, struct view_work *w,
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
	view_payload(s, v, off);
}

static __always_inline void view_ipv4(const struct view_src *s, struct view_work *w, struct view *v)
{
	struct view_ip4 copy;
	const struct view_ip4 *ip = view_read(s, w->off, &copy);
	__u32 frag, len;

	/* Version 4 and at least five words, in one look at the first byte. */
	if (!ip || (__u8)(ip->version_ihl - 0x45) > 10)
		return;
	len = (ip->version_ihl & 15) * 4;
	frag = be16(ip->frag);
	v->family = 4;
	view_addrs(s, v, ip->src, ip->dst, 1);
	v->proto = ip->proto;
	view_chain(s, v, ip->proto);
	v->fragment = frag & 0x1fff ? VIEW_LATER : frag & 0x2000 ? VIEW_FIRST : VIEW_WHOLE;
	w->off += len;
	if (view_reaches(s, w->off))
		view_transport(s, w, v);
}

static __always_inline bool view_is_ext(__u32 proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_FRAGMENT ||
	       proto == IPPROTO_DSTOPTS;
}

/* From an extension header on; false if one is cut off. */
static __always_inline bool view_exts(const struct view_src *s, struct view_work *w, struct view *v)
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
		view_chain(s, v, ext->next);
		w->off += 8 + units * 8;
		if (!view_reaches(s, w->off))
			return false;
	}
	return true;
}

static __always_inline void view_ipv6(const struct view_src *s, struct view_work *w, struct view *v)
{
	struct view_ip6 copy;
	const struct view_ip6 *ip = view_read(s, w->off, &copy);

	if (!ip || ip->version >> 4 != 6)
		return;
	v->family = 6;
	view_addrs(s, v, ip->src, ip->dst, 4);
	w->proto = ip->next;
	w->off += sizeof(*ip);
	view_chain(s, v, ip->next);
	if (view_is_ext(ip->next) && !view_exts(s, w, v))
		return;
	v->proto = w->proto;
	view_transport(s, w, v);
}

/* IPv4 over Ethernet, the only one in use (RFC 826). */
static __always_inline void view_arp(const struct view_src *s, struct view_work *w, struct view *v)
{
	struct view_arp copy;
	const struct view_arp *a = view_read(s, w->off, &copy);

	if (a && a->protocol == be16(ETH_P_IP) && a->hardware_len == 6 && a->protocol_len == 4)
		view_addrs(s, v, a->spa, a->tpa, 1);
}

/* Of a header whose EtherType nobody wrote, by its first four bits (RFC 4928); 0: neither. */
static __always_inline __u32 view_ip_type(const struct view_src *s, __u32 off)
{
	__u8 *at = s->data + (off & VIEW_OFF_MASK), first;

	if (off <= VIEW_OFF_MASK && (void *)(at + 1) <= s->end)
		first = *at;
	else if (!s->skb || bpf_skb_load_bytes(s->skb, off, &first, 1))
		return 0;
	return first >> 4 == 4 ? ETH_P_IP : first >> 4 == 6 ? ETH_P_IPV6 : 0;
}

/* Labels to the bottom of the stack; false if what is behind it is not IP. */
static __always_inline bool view_labels(const struct view_src *s, struct view_work *w,
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
		type = view_ip_type(s, w->off);
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

/* One more tag; false if it is cut off. */
static __always_inline bool view_vlan(const struct view_src *s, struct view_work *w, struct view *v)
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

/* From the EtherType in v->type on, whose payload is at w->off. */
static __always_inline void view_network(const struct view_src *s, struct view_work *w,
					 struct view *v)
{
#pragma clang loop unroll(disable)
	for (int i = 0; i < VIEW_VLANS_MAX; i++) {
		if (!view_is_vlan(v->type) || v->vlans >= VIEW_VLANS_MAX)
			break;
		if (!view_vlan(s, w, v))
			return;
	}
	if ((v->type == ETH_P_MPLS_UC || v->type == ETH_P_MPLS_MC) && !view_labels(s, w, v))
		return;
	v->net = w->off;
	if (v->type == ETH_P_IP)
		view_ipv4(s, w, v);
	else if (v->type == ETH_P_IPV6)
		view_ipv6(s, w, v);
	else if (v->type == ETH_P_ARP || v->type == ETH_P_RARP)
		view_arp(s, w, v);
}

static __always_inline void view_macs(const struct view_src *s, struct view *v,
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

/* From the Ethernet header at w->off to v->type. */
static __always_inline bool view_ethernet(const struct view_src *s, struct view_work *w,
					  struct view *v)
{
	struct view_eth copy;
	const struct view_eth *eth = view_read(s, w->off, &copy);

	if (!eth)
		return false;
	v->link = w->off;
	view_macs(s, v, eth);
	w->off += sizeof(*eth);
	return true;
}

/* Behind generic XDP some kernels (6.18 is one) hand tc programs an skb that begins with its
 * network header, though it has an Ethernet header in front of that. Most packets show at one look
 * that they are not so: they begin with the type that they are said to be of, and not as an IP
 * header does. */
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

/* The header that is in front: its bytes have no offset. */
static __always_inline bool view_before(const struct view_src *s, struct view *v)
{
	struct view_eth eth;

	if (bpf_skb_load_bytes_relative(s->skb, 0, &eth, sizeof(eth), BPF_HDR_START_MAC))
		return false;
	view_macs(s, v, &eth);
	return true;
}

static __always_inline void view_start(const struct view_src *s, struct view *v, __u32 len)
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

/* RFC 2784 and 2890: checksum, key and sequence number if their bits are set. */
static __always_inline bool view_gre(const struct view_src *s, struct view_work *w, __u32 *type)
{
	struct view_gre copy;
	const struct view_gre *gre = view_read(s, w->off, &copy);
	__u32 flags;

	if (!gre)
		return false;
	flags = be16(gre->flags);
	*type = be16(gre->type);
	if (flags & 0x4007) /* routing, which is no more, and versions but 0 */
		return false;
	w->off += 4 + (flags >> 15 & 1) * 4 + (flags >> 13 & 1) * 4 + (flags >> 12 & 1) * 4;
	return true;
}

/* RFC 8926: options of 4-byte units. */
static __always_inline bool view_geneve(const struct view_src *s, struct view_work *w, __u32 *type)
{
	struct view_geneve copy;
	const struct view_geneve *geneve = view_read(s, w->off + 8, &copy);

	if (!geneve || geneve->version_len >> 6)
		return false;
	*type = be16(geneve->type);
	w->off += 8 + sizeof(*geneve) + (geneve->version_len & 0x3f) * 4;
	return true;
}

/* To what is carried in the packet; type 0: Ethernet. */
static __always_inline bool view_tunnel(const struct view_src *s, struct view_work *w, __u32 *type)
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
		if (!view_gre(s, w, type))
			return false;
	} else if (v->proto == IPPROTO_UDP && v->ports && v->dport == VIEW_VXLAN) {
		w->off += 16;
	} else if (v->proto != IPPROTO_UDP || !v->ports || v->dport != VIEW_GENEVE ||
		   !view_geneve(s, w, type)) {
		return false;
	}
	if (*type == VIEW_BRIDGED)
		*type = 0;
	return view_reaches(s, w->off);
}

/* Bytes of the tag that hardware has taken out of an skb, or will put in. */
static __always_inline __u32 view_hidden(const struct view_src *s)
{
	return s->skb && s->skb->vlan_present ? sizeof(struct view_tag) : 0;
}

static __always_inline void view_parse_inner(const struct view_src *s, struct view_work *w)
{
	struct view *outer = &w->views[0], *v = &w->views[1];
	__u32 type = 0;

	view_start(s, v, 0);
	if (!view_tunnel(s, w, &type))
		return;
	v->len = outer->len - view_hidden(s) - s->bare - w->off;
	v->type = type;
	if (type || view_ethernet(s, w, v))
		view_network(s, w, v);
}

/* The packet's own view; len: of all its bytes, with a hidden tag. */
static __always_inline void view_parse_outer(const struct view_src *s, struct view_work *w,
					     __u32 len, bool ethernet)
{
	struct view *v = &w->views[0];

	view_start(s, v, len);
	w->off = 0;
	if (s->bare) {
		if (!view_before(s, v))
			return;
	} else if (ethernet) {
		if (!view_ethernet(s, w, v))
			return;
	} else {
		v->type = view_ip_type(s, 0);
		if (!v->type)
			return;
	}
	if (view_hidden(s)) {
		v->vlan[0] = s->skb->vlan_tci & 0xfff;
		v->vlans = 1;
	}
	view_network(s, w, v);
}

#endif
