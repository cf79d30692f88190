/* SPDX-License-Identifier: MIT */
/* Random packets that contain every protocol the parsers know. */
#include "tests/run/random_packets.h"
#include "base/array.h"
#include <linux/if_ether.h>
#include <string.h>
#include "tests/lib/draw.h"
#include "tests/lib/insn.h"

enum {
	HOPOPTS = 0,
	ICMP = 1,
	IPIP = 4,
	TCP = 6,
	UDP = 17,
	IPV6 = 41,
	ROUTING = 43,
	FRAGMENT = 44,
	GRE = 47,
	DSTOPTS = 60,
	SCTP = 132,
	BRIDGED = 0x6558,
	DEPTH_MAX = 2,
};

static uint64_t state;
static uint32_t draw_next(uint32_t below)
{
	return draw_below(&state, below);
}

void random_packets_seed(uint64_t seed)
{
	state = seed;
}

static void add_noise(struct packet *p, uint32_t len)
{
	while (len--)
		packet_fill(p, (uint8_t)draw_next(256), 1);
}

static void add_ethernet(struct packet *p, int depth);
static void add_network(struct packet *p, uint16_t type, int depth);

/* Selects the EtherType that a tunnel carries. */
static uint16_t draw_inner_type(void)
{
	static const uint16_t types[] = { ETH_P_IP, ETH_P_IPV6, BRIDGED, ETH_P_8021Q, 0 };

	return types[draw_next(ARRAY_LEN(types))];
}

static void add_inner(struct packet *p, uint16_t type, int depth)
{
	if (depth >= DEPTH_MAX)
		add_noise(p, draw_next(40));
	else if (!type || type == BRIDGED)
		add_ethernet(p, depth + 1);
	else
		add_network(p, type, depth + 1);
}

static void add_gre(struct packet *p, int depth)
{
	uint16_t type = draw_inner_type(), flags = 0;
	static const uint16_t bits[] = { 0x8000, 0x2000, 0x1000 };

	for (size_t i = 0; i < ARRAY_LEN(bits); i++)
		flags |= draw_next(2) ? bits[i] : 0;
	if (!draw_next(8))
		flags |= 1u << draw_next(16);
	packet_be16(p, flags);
	packet_be16(p, type);
	for (size_t i = 0; i < ARRAY_LEN(bits); i++)
		add_noise(p, flags & bits[i] ? 4 : 0);
	add_inner(p, type, depth);
}

static void add_udp(struct packet *p, int depth)
{
	static const uint16_t ports[] = { 4789, 6081, 53, 443 };
	uint16_t port = ports[draw_next(ARRAY_LEN(ports))], type = draw_inner_type();
	uint8_t options = draw_next(3) ? 0 : (uint8_t)draw_next(64);

	packet_be16(p, (uint16_t)draw_next(65536));
	packet_be16(p, port);
	packet_be16(p, 0);
	packet_be16(p, 0);
	if (port == 4789) {
		add_noise(p, 8);
		add_inner(p, 0, depth);
	} else if (port == 6081) {
		packet_fill(p, draw_next(9) ? options : options | 0x40, 1);
		packet_fill(p, 0, 1);
		packet_be16(p, type);
		add_noise(p, 4 + options * 4u);
		add_inner(p, type, depth);
	} else {
		add_noise(p, draw_next(40));
	}
}

static void add_transport(struct packet *p, int proto, int depth)
{
	if (proto == TCP) {
		packet_tcp(p, draw_next(8) ? 5 + draw_next(11) : draw_next(5));
		add_noise(p, draw_next(20));
	} else if (proto == UDP) {
		add_udp(p, depth);
	} else if (proto == GRE) {
		add_gre(p, depth);
	} else if (proto == IPIP || proto == IPV6) {
		add_inner(p, proto == IPIP ? ETH_P_IP : ETH_P_IPV6, depth);
	} else {
		add_noise(p, draw_next(40));
	}
}

static int draw_proto(void)
{
	static const uint8_t protos[] = { TCP, UDP, UDP, SCTP, GRE, IPIP, IPV6, ICMP, 50, 255 };

	return protos[draw_next(ARRAY_LEN(protos))];
}

static void add_ipv4(struct packet *p, int depth)
{
	unsigned int words = draw_next(4) ? 5 : draw_next(16);
	int proto = draw_proto();

	packet_ipv4(p, (uint8_t)proto, words);
	if (words == 5 && !draw_next(4))
		packet_ipv4_frag(p, draw_next(2) ? 0x2000 : (uint16_t)draw_next(65536));
	add_transport(p, proto, depth);
}

static void add_ipv6(struct packet *p, int depth)
{
	static const uint8_t kinds[] = { HOPOPTS, ROUTING, FRAGMENT, DSTOPTS, DSTOPTS };
	uint8_t exts[9];
	uint32_t n = draw_next(3) ? 0 : draw_next(8);

	for (uint32_t i = 0; i < n; i++)
		exts[i] = kinds[draw_next(ARRAY_LEN(kinds))];
	exts[n] = (uint8_t)draw_proto();
	packet_ipv6(p, exts[0]);
	for (uint32_t i = 0; i < n; i++) {
		if (exts[i] == FRAGMENT)
			packet_frag(p, exts[i + 1],
				    (uint16_t)(draw_next(3) ? 0 : 8u << draw_next(13)),
				    draw_next(2) != 0);
		else
			packet_ext(p, exts[i + 1], (uint8_t)(draw_next(4) ? 0 : draw_next(16)));
	}
	add_transport(p, exts[n], depth);
}

static void add_network(struct packet *p, uint16_t type, int depth)
{
	switch (type) {
	case ETH_P_IP:
		add_ipv4(p, depth);
		break;
	case ETH_P_IPV6:
		add_ipv6(p, depth);
		break;
	case ETH_P_8021Q:
		packet_vlan(p, (uint16_t)draw_next(65536), ETH_P_IP);
		add_ipv4(p, depth);
		break;
	case ETH_P_ARP:
	case ETH_P_RARP:
		packet_arp(p);
		break;
	default:
		add_noise(p, draw_next(60));
	}
}

static void add_ethernet(struct packet *p, int depth)
{
	static const uint16_t tags[] = { ETH_P_8021Q, ETH_P_8021AD, ETH_P_QINQ1 };
	static const uint16_t types[] = { ETH_P_IP,  ETH_P_IP,   ETH_P_IP,   ETH_P_IPV6,
					  ETH_P_ARP, ETH_P_IPV6, ETH_P_RARP, ETH_P_LLDP };
	uint32_t vlans = draw_next(3) ? 0 : draw_next(4),
		 labels = draw_next(4) ? 0 : 1 + draw_next(5);
	uint16_t net = types[draw_next(ARRAY_LEN(types))],
		 type = labels ? (uint16_t)(ETH_P_MPLS_UC + draw_next(2)) : net;

	packet_eth(p, vlans ? tags[draw_next(3)] : type);
	for (uint32_t i = 0; i < vlans; i++)
		packet_vlan(p, (uint16_t)draw_next(65536),
			    i + 1 < vlans ? tags[draw_next(3)] : type);
	for (uint32_t i = 0; i < labels; i++) {
		packet_be16(p, (uint16_t)draw_next(65536));
		packet_be16(
			p, (uint16_t)((draw_next(65536) & 0xfeff) | (i + 1 == labels ? 0x100 : 0)));
	}
	add_network(p, net, depth);
}

void random_packets_next(struct packet *p)
{
	p->len = 0;
	add_ethernet(p, 0);
	for (uint32_t n = draw_next(3) ? 0 : 1 + draw_next(6); n; n--)
		p->at[draw_next((uint32_t)p->len)] = (uint8_t)draw_next(256);
	if (!draw_next(3))
		p->len = draw_next((uint32_t)p->len);
	if (p->len < ETH_HLEN)
		packet_fill(p, 0, ETH_HLEN - p->len);
}
