/* SPDX-License-Identifier: MIT */
/* Parses a packet once, from the link layer to the transport header.
 *
 * Attaching is fast only if the verifier has little work: it walks every path with every distinct
 * state. So the code for rare headers keeps its offset as a masked number, which is the same
 * verifier state in each iteration and on each path; the common part uses constant offsets. */
#ifndef BPF_LIB_PARSE_H
#define BPF_LIB_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include "bpf/lib/bpf.h"
#include "bpf/gate.h"

/* A parsed packet. bad: the next header is cut off or contradicts itself; what was parsed before
 * it is valid. */
struct pkt {
	__u32 off;       /* offset of the header that proto names */
	__u32 net;       /* offset of the IPv4 or IPv6 header */
	__u16 ethertype; /* host byte order, after any VLAN tags; 0 if bad at the link layer */
	__u8 family;     /* enum gate_family */
	__u8 proto;      /* IPv4 and IPv6: protocol number after IPv6 extension headers */
	__u8 bad;
	__u8 fragment; /* a later fragment: it has no transport header */
};

/* A packet's bytes. With skb, rare headers outside [data, end) are read by helper; the link-layer
 * and IP headers must be within. */
struct pkt_src {
	void *data, *end;
	struct __sk_buff *skb; /* NULL: all bytes are in [data, end) */
};

enum {
	PKT_EXT_MAX = 6, /* extension headers walked; RFC 8200 sec. 4.1 orders five */
	/* Two tags, the IP header and 6 extension headers end below 12,352. All have even lengths,
	 * which verifiers that enforce alignment have to see. */
	PKT_OFF_MASK = 0x3ffe,
	PKT_NET_MASK = 0x1e,      /* a network header starts at 22 at most, after two tags */
	PKT_IPV4_OFFSET = 0x1fff, /* fragment offset, RFC 791 sec. 3.1 */
	PKT_IPV4_MORE = 0x2000,   /* more fragments, the same */
	PKT_IPV6_OFFSET = 0xfff8, /* RFC 8200 sec. 4.5 */
};

struct pkt_vlan {
	__be16 tci, type;
};

struct pkt_ext {
	__u8 next;
	__u8 len; /* units of 8 bytes after the first 8 bytes; reserved in a fragment header */
	__be16 frag;
	__be32 id;
};

/* Hides a number's origin from the compiler. Otherwise it would recompute a checked number, which
 * the verifier then takes for unchecked, or turn arithmetic into branches. */
#define pkt_opaque(x) asm volatile("" : "+r"(x))

/* 1 if both are equal, else 0, without a branch: the verifier continues with one state. */
static __always_inline __u32 pkt_equal(__u32 a, __u32 b)
{
	__u64 differ = a ^ b;

	pkt_opaque(differ);
	return (differ - 1) >> 63;
}

/* The same number, of which the verifier knows only that it is within the mask. one and two are the
 * same number, read twice: the verifier takes them for two unknown ones and does not see that they
 * cancel out. */
#define pkt_blur(x, mask, one, two) (((x) + (one) - (two)) & (mask))

/* Reads a number from memory at this point. */
#define pkt_reread(x) (*(const volatile __typeof__(x) *)&(x))

/* By IP protocol number: its slot in the counters, and whether it is an extension header. One load
 * replaces a branch per protocol, for the CPU and for the verifier. */
enum {
	PKT_EXT = 0x80,      /* an IPv6 extension header */
	PKT_FRAGMENT = 0x40, /* the fragment header, which has no length */
	PKT_SLOT = 0x3f,
};
#define PKT_SLOT_OF(name, number) [number] = GATE_SLOT_##name,
static const volatile __u8 pkt_protos[256] = {
	GATE_PROTOS(PKT_SLOT_OF)[IPPROTO_HOPOPTS] = PKT_EXT,
	[IPPROTO_ROUTING] = PKT_EXT,
	[IPPROTO_FRAGMENT] = PKT_EXT | PKT_FRAGMENT,
	[IPPROTO_DSTOPTS] = PKT_EXT,
};

/* 1 if the EtherType is a VLAN tag's, else 0, without a branch. */
static __always_inline __u32 pkt_is_vlan(__u32 type)
{
	return pkt_equal(type, ETH_P_8021Q) | pkt_equal(type, ETH_P_8021AD) |
	       pkt_equal(type, ETH_P_QINQ1);
}

/* Skips one VLAN tag or two (IEEE 802.1ad). Returns false if a tag is cut off. */
static __always_inline bool pkt_parse_vlan(struct pkt *p, const struct pkt_src *s)
{
	struct pkt_vlan *tag = s->data + ETH_HLEN;

	if ((void *)(tag + 1) > s->end)
		return false;
	p->off = ETH_HLEN + (pkt_is_vlan(be16(tag->type)) & 1) * sizeof(*tag);
	pkt_opaque(p->off);
	tag = s->data + p->off;
	if ((void *)(tag + 1) > s->end)
		return false;
	p->ethertype = be16(tag->type);
	p->off += sizeof(*tag);
	return true;
}

/* Returns true if the packet has at least off bytes. A header's length field may exceed the packet:
 * reading the next header detects that, or this check after the last one. */
static __always_inline bool pkt_reaches(const struct pkt_src *s, __u32 off)
{
	if (s->skb)
		return off <= s->skb->len;
	return s->data + (off & PKT_OFF_MASK) <= s->end;
}

static __always_inline void pkt_parse_ipv4(struct pkt *p, const struct pkt_src *s)
{
	struct iphdr *ip = s->data + p->off;

	p->family = GATE_IPV4;
	p->net = p->off;
	p->bad = 1;
	/* Version 4 and a length of at least five words, in one comparison. */
	if ((void *)(ip + 1) > s->end || (__u8)(*(__u8 *)ip - 0x45) > 10)
		return;
	/* Options are not read, so they may be outside the linear part. */
	if (!pkt_reaches(s, p->off + ip->ihl * 4))
		return;
	p->bad = 0;
	p->proto = ip->protocol;
	p->fragment = (ip->frag_off & be16(PKT_IPV4_OFFSET)) != 0;
	p->off += ip->ihl * 4;
}

static __always_inline bool pkt_read_ext(const struct pkt_src *s, __u32 off, struct pkt_ext *ext)
{
	struct pkt_ext *at = s->data + (off & PKT_OFF_MASK);

	if (s->skb)
		return !bpf_skb_load_bytes(s->skb, off, ext, sizeof(*ext));
	if ((void *)(at + 1) > s->end)
		return false;
	ext->next = at->next;
	ext->len = at->len;
	ext->frag = at->frag;
	return true;
}

static __always_inline void pkt_parse_exts(struct pkt *p, const struct pkt_src *s)
{
	struct ethhdr *any = s->data; /* any readable bytes */
	__u32 off = pkt_blur(p->off, PKT_OFF_MASK, pkt_reread(any->h_dest[0]),
			     pkt_reread(any->h_dest[0]));
	__u8 proto = p->proto, what = pkt_protos[proto];

	p->bad = 1;
#pragma clang loop unroll(disable)
	for (int i = 0; i < PKT_EXT_MAX && what & PKT_EXT; i++) {
		__u32 is_fragment = what / PKT_FRAGMENT & 1;
		struct pkt_ext ext = {};

		if (!pkt_read_ext(s, off, &ext))
			return;
		off = (off + 8 + ext.len * 8 * (1 - is_fragment)) & PKT_OFF_MASK;
		p->fragment = is_fragment & ~pkt_equal(ext.frag & be16(PKT_IPV6_OFFSET), 0);
		proto = ext.next;
		what = pkt_protos[proto];
		if (p->fragment)
			break; /* no header follows */
	}
	if (!pkt_reaches(s, off))
		return;
	p->bad = 0;
	p->proto = proto;
	p->off = off;
}

static __always_inline void pkt_parse_ipv6(struct pkt *p, const struct pkt_src *s)
{
	struct ipv6hdr *ip = s->data + p->off;

	p->family = GATE_IPV6;
	p->net = p->off;
	p->bad = 1;
	if ((void *)(ip + 1) > s->end || ip->version != 6)
		return;
	p->bad = 0;
	p->proto = ip->nexthdr;
	p->off += sizeof(*ip);
	if (pkt_protos[p->proto] & PKT_EXT)
		pkt_parse_exts(p, s);
}

/* Parses into *p, which the caller has zeroed. Without an Ethernet header, type is the EtherType,
 * or 0 to derive it from the IP version. */
static __always_inline void pkt_parse(struct pkt *p, const struct pkt_src *s, bool ethernet,
				      __u32 type)
{
	struct ethhdr *eth = s->data;
	__u8 *first = s->data;

	p->family = GATE_OTHER;
	p->bad = 1;
	if (ethernet) {
		if ((void *)(eth + 1) > s->end)
			return;
		p->ethertype = be16(eth->h_proto);
		p->off = sizeof(*eth);
		if (pkt_is_vlan(p->ethertype) && !pkt_parse_vlan(p, s))
			return;
	} else if (type) {
		p->ethertype = type;
	} else {
		if ((void *)(first + 1) > s->end)
			return;
		if (*first >> 4 != 4 && *first >> 4 != 6)
			return;
		p->ethertype = *first >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP;
	}
	p->bad = 0;
	if (p->ethertype == ETH_P_IP)
		pkt_parse_ipv4(p, s);
	else if (p->ethertype == ETH_P_IPV6)
		pkt_parse_ipv6(p, s);
	else if (p->ethertype == ETH_P_ARP)
		p->family = GATE_ARP;
}

#endif
