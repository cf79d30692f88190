/* SPDX-License-Identifier: MIT */
/* The packet parsed once: from the link layer to the transport header, whatever lies between. */
#ifndef BPF_LIB_PARSE_H
#define BPF_LIB_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include "bpf/lib/bpf.h"
#include "bpf/gate.h"

/* Of a packet: bad means that the header which would say more is cut short or contradicts itself;
 * what stands before it is still right. */
struct pkt {
	__u16 ethertype; /* host byte order, behind any VLAN tags; 0 if bad at the link layer */
	__u16 l4_off;    /* bytes from the start to the header that proto names */
	__u8 family;     /* enum gate_family */
	__u8 proto; /* IP protocol number behind IPv6 extension headers, families IPv4 and IPv6 */
	__u8 bad;
	__u8 fragment; /* not a packet's first fragment: no transport header in it */
};

enum {
	PKT_VLAN_MAX = 2,         /* IEEE 802.1ad: a service and a customer tag */
	PKT_EXT_MAX = 8,          /* extension headers walked; RFC 8200 sec. 4.1 recommends six */
	PKT_IPV4_OFFSET = 0x1fff, /* fragment offset, RFC 791 sec. 3.1 */
	PKT_IPV6_OFFSET = 0xfff8, /* RFC 8200 sec. 4.5 */
};

struct pkt_vlan {
	__be16 tci, type;
};

struct pkt_ext {
	__u8 next,
		len; /* len: 8-byte units after the first 8 bytes; reserved in a fragment header */
	__be16 frag;
	__be32 id;
};

static __always_inline bool pkt_is_vlan(__u16 type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD || type == ETH_P_QINQ1;
}

static __always_inline bool pkt_is_ext(__u8 proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_FRAGMENT ||
	       proto == IPPROTO_DSTOPTS;
}

static __always_inline void pkt_ipv4(struct pkt *p, void *data, void *pos, void *end)
{
	struct iphdr *ip = pos;

	p->family = GATE_IPV4;
	p->bad = 1;
	if ((void *)(ip + 1) > end || ip->version != 4 || ip->ihl < 5)
		return;
	if (pos + ip->ihl * 4 > end)
		return;
	p->bad = 0;
	p->proto = ip->protocol;
	p->fragment = (ip->frag_off & be16(PKT_IPV4_OFFSET)) != 0;
	p->l4_off = pos - data + ip->ihl * 4;
}

static __always_inline void pkt_ipv6(struct pkt *p, void *data, void *pos, void *end)
{
	struct ipv6hdr *ip = pos;
	__u8 proto;

	p->family = GATE_IPV6;
	p->bad = 1;
	if ((void *)(ip + 1) > end || ip->version != 6)
		return;
	proto = ip->nexthdr;
	pos = ip + 1;
	for (int i = 0; i < PKT_EXT_MAX; i++) {
		struct pkt_ext *ext = pos;

		if (!pkt_is_ext(proto))
			break;
		if ((void *)(ext + 1) > end)
			return;
		if (proto == IPPROTO_FRAGMENT) {
			pos = ext + 1;
			p->fragment = (ext->frag & be16(PKT_IPV6_OFFSET)) != 0;
		} else {
			pos += (ext->len + 1) * 8;
			if (pos > end)
				return;
		}
		proto = ext->next;
		if (p->fragment)
			break; /* what follows is the middle of something */
	}
	p->bad = 0;
	p->proto = proto;
	p->l4_off = pos - data;
}

/* Parse [data, end) into *p, which the caller has zeroed. */
static __always_inline void pkt_parse(struct pkt *p, void *data, void *end, bool ethernet)
{
	void *pos = data;

	p->family = GATE_OTHER;
	if (ethernet) {
		struct ethhdr *eth = data;

		if ((void *)(eth + 1) > end) {
			p->bad = 1;
			return;
		}
		p->ethertype = be16(eth->h_proto);
		pos = eth + 1;
#pragma unroll
		for (int i = 0; i < PKT_VLAN_MAX; i++) {
			struct pkt_vlan *tag = pos;

			if (!pkt_is_vlan(p->ethertype))
				break;
			if ((void *)(tag + 1) > end) {
				p->bad = 1;
				return;
			}
			p->ethertype = be16(tag->type);
			pos = tag + 1;
		}
	} else {
		__u8 *first = data;

		if ((void *)(first + 1) > end) {
			p->bad = 1;
			return;
		}
		p->ethertype = *first >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP;
	}
	if (p->ethertype == ETH_P_IP)
		pkt_ipv4(p, data, pos, end);
	else if (p->ethertype == ETH_P_IPV6)
		pkt_ipv6(p, data, pos, end);
	else if (p->ethertype == ETH_P_ARP)
		p->family = GATE_ARP;
}

#endif
