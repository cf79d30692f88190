/* SPDX-License-Identifier: MIT */
/* Packets of every kind that the gate distinguishes. */
#include "base/array.h"
#include "tests/lib/insn.h"
#include "tests/run/run.h"

enum {
	HOPOPTS = 0,
	ICMP = 1,
	IGMP = 2,
	TCP = 6,
	UDP = 17,
	ROUTING = 43,
	FRAG = 44,
	GRE = 47,
	ESP = 50,
	AH = 51,
	ICMP6 = 58,
	NONE = 59,
	DSTOPTS = 60,
	OSPF = 89,
	SCTP = 132
};
enum { IPV4 = 0x0800, ARP = 0x0806, VLAN = 0x8100, IPV6 = 0x86dd, QINQ = 0x88a8, QINQ1 = 0x9100 };

/* Appends a plausible header and a short payload. */
static void add_transport(struct packet *p, int proto)
{
	if (proto == TCP)
		packet_tcp(p, 8);
	else if (proto == UDP)
		packet_udp(p, 18);
	else if (proto == ICMP || proto == ICMP6)
		packet_icmp(p, proto == ICMP ? 8 : 128);
	else
		packet_fill(p, 0x5a, 24);
}

static void build_ipv4(struct packet *p, int proto)
{
	packet_eth(p, IPV4);
	packet_ipv4(p, (uint8_t)proto, 5);
	add_transport(p, proto);
}

static void build_ipv6(struct packet *p, int proto)
{
	packet_eth(p, IPV6);
	packet_ipv6(p, (uint8_t)proto);
	add_transport(p, proto);
}

static void build_arp(struct packet *p, int arg)
{
	(void)arg;
	packet_eth(p, ARP);
	packet_arp(p);
}

static void build_other(struct packet *p, int type)
{
	packet_eth(p, (uint16_t)type);
	packet_fill(p, 0x42, 50);
}

/* 802.3 with a spanning tree message after the LLC header. */
static void build_llc(struct packet *p, int len)
{
	packet_eth(p, (uint16_t)len);
	packet_fill(p, 0x42, 2);
	packet_fill(p, 3, 1);
	packet_fill(p, 0, 43);
}

static void build_tagged(struct packet *p, int type)
{
	packet_eth(p, (uint16_t)type);
	packet_vlan(p, 5, IPV4);
	packet_ipv4(p, UDP, 5);
	add_transport(p, UDP);
}

static void tagged_arp(struct packet *p, int type)
{
	packet_eth(p, (uint16_t)type);
	packet_vlan(p, 4095, ARP);
	packet_arp(p);
}

/* Two tags; type is that of the outer one. */
static void tagged_twice(struct packet *p, int type)
{
	packet_eth(p, (uint16_t)type);
	packet_vlan(p, 5, VLAN);
	packet_vlan(p, 6, IPV6);
	packet_ipv6(p, TCP);
	add_transport(p, TCP);
}

/* Two tags; type is that of the inner one. */
static void tagged_within(struct packet *p, int type)
{
	packet_eth(p, QINQ);
	packet_vlan(p, 5, (uint16_t)type);
	packet_vlan(p, 6, IPV4);
	packet_ipv4(p, ICMP, 5);
	add_transport(p, ICMP);
}

static void tagged_thrice(struct packet *p, int type)
{
	packet_eth(p, QINQ);
	packet_vlan(p, 5, VLAN);
	packet_vlan(p, 6, (uint16_t)type);
	packet_vlan(p, 7, IPV4);
	packet_ipv4(p, UDP, 5);
}

static void ipv4_words(struct packet *p, int words)
{
	packet_eth(p, IPV4);
	packet_ipv4(p, UDP, (unsigned int)words);
	add_transport(p, UDP);
}

/* A version that contradicts the EtherType, in an otherwise valid header. */
static void build_version(struct packet *p, int type)
{
	packet_eth(p, (uint16_t)type);
	if (type == IPV4)
		packet_ipv4(p, UDP, 5);
	else
		packet_ipv6(p, UDP);
	p->at[14] ^= 0x20; /* 4 and 6 differ in this bit */
	add_transport(p, UDP);
}

static void ipv4_frag(struct packet *p, int frag)
{
	packet_eth(p, IPV4);
	packet_ipv4(p, UDP, 5);
	packet_ipv4_frag(p, (uint16_t)frag);
	packet_fill(p, 0x11, 32);
}

/* n extension headers of the three kinds with the same format, of several lengths. */
static void ipv6_exts(struct packet *p, int n)
{
	static const uint8_t kinds[] = { HOPOPTS, ROUTING, DSTOPTS };

	packet_eth(p, IPV6);
	packet_ipv6(p, kinds[0]);
	for (int i = 1; i <= n; i++)
		packet_ext(p, i < n ? kinds[i % 3] : UDP, i % 3 == 1 ? 2 : 0);
	add_transport(p, UDP);
}

/* A fragment; its first bytes would also be valid as a header. */
static void ipv6_frag(struct packet *p, int offset)
{
	packet_eth(p, IPV6);
	packet_ipv6(p, HOPOPTS);
	packet_ext(p, FRAG, 0);
	packet_frag(p, DSTOPTS, (uint16_t)offset, 1);
	packet_ext(p, UDP, 1);
	add_transport(p, UDP);
}

static void ipv6_atomic(struct packet *p, int proto)
{
	packet_eth(p, IPV6);
	packet_ipv6(p, FRAG);
	packet_frag(p, (uint8_t)proto, 0, 0);
	add_transport(p, proto);
}

static void ipv6_frags(struct packet *p, int n)
{
	packet_eth(p, IPV6);
	packet_ipv6(p, FRAG);
	for (int i = 1; i <= n; i++)
		packet_frag(p, i < n ? FRAG : TCP, 0, 1);
	add_transport(p, TCP);
}

/* A complete extension header of 2048 bytes. */
static void ipv6_long(struct packet *p, int kind)
{
	packet_eth(p, IPV6);
	packet_ipv6(p, (uint8_t)kind);
	packet_ext(p, ICMP6, 255);
	add_transport(p, ICMP6);
}

static void ipv6_ah(struct packet *p, int arg)
{
	(void)arg;
	packet_eth(p, IPV6);
	packet_ipv6(p, DSTOPTS);
	packet_ext(p, AH, 1);
	packet_ah(p, TCP);
	add_transport(p, TCP);
}

static void ipv4_ah(struct packet *p, int arg)
{
	(void)arg;
	packet_eth(p, IPV4);
	packet_ipv4(p, AH, 5);
	packet_ah(p, UDP);
	add_transport(p, UDP);
}

#define BAD GATE_PROTO_BAD
#define WORDS(n, proto)                                                        \
	{                                                                      \
		"IPv4 header of " #n " words", ipv4_words, n, GATE_IPV4, proto \
	}
#define EXTS(n, proto)                                                               \
	{                                                                            \
		"IPv6 with " #n " extension headers", ipv6_exts, n, GATE_IPV6, proto \
	}

/* clang-format off */
const struct sample samples[] = {
	{ "IPv4 TCP", build_ipv4, TCP, GATE_IPV4, TCP },
	{ "IPv4 UDP", build_ipv4, UDP, GATE_IPV4, UDP },
	{ "IPv4 ICMP", build_ipv4, ICMP, GATE_IPV4, ICMP },
	{ "IPv4 IGMP", build_ipv4, IGMP, GATE_IPV4, IGMP },
	{ "IPv4 GRE", build_ipv4, GRE, GATE_IPV4, GRE },
	{ "IPv4 ESP", build_ipv4, ESP, GATE_IPV4, ESP },
	{ "IPv4 SCTP", build_ipv4, SCTP, GATE_IPV4, SCTP },
	{ "IPv4 with ICMPv6's number", build_ipv4, ICMP6, GATE_IPV4, ICMP6 },
	{ "IPv4 with an extension header's number", build_ipv4, DSTOPTS, GATE_IPV4, DSTOPTS },
	{ "IPv4 protocol 0", build_ipv4, 0, GATE_IPV4, 0 },
	{ "IPv4 protocol 255", build_ipv4, 255, GATE_IPV4, 255 },
	{ "IPv4 AH", ipv4_ah, 0, GATE_IPV4, AH },
	{ "IPv6 TCP", build_ipv6, TCP, GATE_IPV6, TCP },
	{ "IPv6 UDP", build_ipv6, UDP, GATE_IPV6, UDP },
	{ "IPv6 ICMP", build_ipv6, ICMP6, GATE_IPV6, ICMP6 },
	{ "IPv6 with ICMPv4's number", build_ipv6, ICMP, GATE_IPV6, ICMP },
	{ "IPv6 no next header", build_ipv6, NONE, GATE_IPV6, NONE },
	{ "IPv6 ESP", build_ipv6, ESP, GATE_IPV6, ESP },
	{ "IPv6 OSPF", build_ipv6, OSPF, GATE_IPV6, OSPF },
	{ "IPv6 AH after options", ipv6_ah, 0, GATE_IPV6, AH },
	{ "ARP", build_arp, 0, GATE_ARP, GATE_PROTO_NONE },
	{ "LLDP", build_other, 0x88cc, GATE_OTHER, 0x88cc },
	{ "the least EtherType", build_other, 0x0600, GATE_OTHER, 0x0600 },
	{ "the greatest EtherType", build_other, 0xffff, GATE_OTHER, 0xffff },
	{ "802.3", build_llc, 38, GATE_OTHER, 4 },
	{ "802.3 of 1500 bytes", build_llc, 1500, GATE_OTHER, 4 },
	{ "neither length nor EtherType", build_llc, 0x05ff, GATE_OTHER, 4 },
	{ "VLAN", build_tagged, VLAN, GATE_IPV4, UDP },
	{ "a service tag alone", build_tagged, QINQ, GATE_IPV4, UDP },
	{ "an old service tag alone", build_tagged, QINQ1, GATE_IPV4, UDP },
	{ "VLAN with ARP", tagged_arp, VLAN, GATE_ARP, GATE_PROTO_NONE },
	{ "QinQ", tagged_twice, QINQ, GATE_IPV6, TCP },
	{ "QinQ of two customer tags", tagged_twice, VLAN, GATE_IPV6, TCP },
	{ "QinQ with an old service tag", tagged_twice, QINQ1, GATE_IPV6, TCP },
	{ "a service tag in a service tag", tagged_within, QINQ, GATE_IPV4, ICMP },
	{ "an old service tag in a service tag", tagged_within, QINQ1, GATE_IPV4, ICMP },
	{ "three tags", tagged_thrice, VLAN, GATE_OTHER, VLAN },
	{ "three tags, the last a service tag", tagged_thrice, QINQ, GATE_OTHER, QINQ },
	WORDS(0, BAD), WORDS(1, BAD), WORDS(2, BAD), WORDS(3, BAD), WORDS(4, BAD),
	WORDS(5, UDP), WORDS(6, UDP), WORDS(7, UDP), WORDS(8, UDP), WORDS(9, UDP), WORDS(10, UDP),
	WORDS(11, UDP), WORDS(12, UDP), WORDS(13, UDP), WORDS(14, UDP), WORDS(15, UDP),
	{ "IPv4 of version 6", build_version, IPV4, GATE_IPV4, BAD },
	{ "IPv6 of version 4", build_version, IPV6, GATE_IPV6, BAD },
	{ "IPv4, first fragment", ipv4_frag, 0x2000, GATE_IPV4, UDP },
	{ "IPv4, middle fragment", ipv4_frag, 0x20b9, GATE_IPV4, UDP },
	{ "IPv4, last fragment", ipv4_frag, 0x1fff, GATE_IPV4, UDP },
	EXTS(1, UDP), EXTS(2, UDP), EXTS(3, UDP), EXTS(4, UDP), EXTS(5, UDP), EXTS(6, UDP),
	EXTS(7, HOPOPTS), EXTS(8, HOPOPTS), EXTS(9, HOPOPTS), EXTS(10, HOPOPTS),
	{ "IPv6, first fragment", ipv6_frag, 0, GATE_IPV6, UDP },
	{ "IPv6, middle fragment", ipv6_frag, 8, GATE_IPV6, DSTOPTS },
	{ "IPv6, last possible fragment", ipv6_frag, 0xfff8, GATE_IPV6, DSTOPTS },
	{ "IPv6, atomic fragment of TCP", ipv6_atomic, TCP, GATE_IPV6, TCP },
	{ "IPv6, atomic fragment of ESP", ipv6_atomic, ESP, GATE_IPV6, ESP },
	{ "IPv6, fragment in fragment", ipv6_frags, 2, GATE_IPV6, TCP },
	{ "IPv6, nine fragment headers", ipv6_frags, 9, GATE_IPV6, FRAG },
	{ "IPv6 with the longest options", ipv6_long, HOPOPTS, GATE_IPV6, ICMP6 },
	{ "IPv6 with the longest routing header", ipv6_long, ROUTING, GATE_IPV6, ICMP6 },
};
/* clang-format on */
const size_t nsamples = ARRAY_LEN(samples);
