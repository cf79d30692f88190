/* SPDX-License-Identifier: MIT */
/* Packets: layouts as in IEEE 802.1Q and RFC 791, 768, 792, 826, 4302, 8200, 9293. */
#include "tests/lib/packet.h"
#include <string.h>
#include "tests/lib/test.h"

void packet_bytes(struct packet *p, const void *data, size_t len)
{
	CHECK(len <= sizeof(p->at) - p->len, "the packet grows beyond %zu bytes", sizeof(p->at));
	memcpy(p->at + p->len, data, len);
	p->len += len;
}

void packet_fill(struct packet *p, uint8_t byte, size_t len)
{
	CHECK(len <= sizeof(p->at) - p->len, "the packet grows beyond %zu bytes", sizeof(p->at));
	memset(p->at + p->len, byte, len);
	p->len += len;
}

void packet_be16(struct packet *p, uint16_t value)
{
	packet_fill(p, (uint8_t)(value >> 8), 1);
	packet_fill(p, (uint8_t)value, 1);
}

void packet_eth(struct packet *p, uint16_t type)
{
	static const uint8_t addrs[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };

	packet_bytes(p, addrs, sizeof(addrs));
	packet_be16(p, type);
}

void packet_vlan(struct packet *p, uint16_t id, uint16_t type)
{
	packet_be16(p, id);
	packet_be16(p, type);
}

void packet_arp(struct packet *p)
{
	static const uint8_t arp[] = { 0,   1, 8, 0, 6, 4, 0, 1, 2, 0, 0,   0, 0, 2,
				       192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1 };

	packet_bytes(p, arp, sizeof(arp));
}

void packet_ipv4(struct packet *p, uint8_t proto, unsigned int words)
{
	static const uint8_t id_frag_hops[] = { 0x12, 0x34, 0x40, 0, 64 }; /* don't fragment */
	static const uint8_t addrs[] = { 192, 0, 2, 1, 192, 0, 2, 2 };
	unsigned int real = words < 5 ? 5 : words;

	packet_fill(p, (uint8_t)(0x40 | words), 1);
	packet_fill(p, 0, 1);
	packet_be16(p, (uint16_t)(real * 4));
	packet_bytes(p, id_frag_hops, sizeof(id_frag_hops));
	packet_fill(p, proto, 1);
	packet_be16(p, 0);
	packet_bytes(p, addrs, sizeof(addrs));
	packet_fill(p, 1, (real - 5u) * 4u); /* no-operation options */
}

void packet_ipv4_frag(struct packet *p, uint16_t frag)
{
	uint8_t *ip = p->at + p->len - 20;

	ip[6] = (uint8_t)(frag >> 8);
	ip[7] = (uint8_t)frag;
}

void packet_ipv6(struct packet *p, uint8_t next)
{
	static const uint8_t addr[] = { 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };

	packet_fill(p, 0x60, 1);
	packet_fill(p, 0, 5); /* the rest of traffic class and flow label, and the length */
	packet_fill(p, next, 1);
	packet_fill(p, 64, 1);
	packet_bytes(p, addr, sizeof(addr));
	packet_bytes(p, addr, sizeof(addr));
}

void packet_ext(struct packet *p, uint8_t next, uint8_t units)
{
	packet_fill(p, next, 1);
	packet_fill(p, units, 1);
	packet_fill(p, 0, 6 + 8u * units); /* Pad1 options */
}

void packet_frag(struct packet *p, uint8_t next, uint16_t offset, int more)
{
	packet_fill(p, next, 1);
	packet_fill(p, 0xff, 1); /* reserved: reading it as a length goes wrong */
	packet_be16(p, (uint16_t)(offset | (more ? 1 : 0)));
	packet_fill(p, 0xab, 4);
}

void packet_ah(struct packet *p, uint8_t next)
{
	packet_fill(p, next, 1);
	packet_fill(p, 4, 1); /* 32-bit words minus 2 */
	packet_fill(p, 0, 22);
}

void packet_tcp(struct packet *p, unsigned int words)
{
	packet_be16(p, 33000);
	packet_be16(p, 443);
	packet_fill(p, 7, 8); /* sequence and acknowledgement numbers */
	packet_fill(p, (uint8_t)(words << 4), 1);
	packet_fill(p, 0x10, 1); /* ACK */
	packet_fill(p, 0, 6);
	packet_fill(p, 1, words > 5 ? (words - 5u) * 4u : 0);
}

void packet_udp(struct packet *p, size_t payload)
{
	packet_be16(p, 33000);
	packet_be16(p, 53);
	packet_be16(p, (uint16_t)(8 + payload));
	packet_be16(p, 0);
	packet_fill(p, 'x', payload);
}

void packet_icmp(struct packet *p, uint8_t type)
{
	packet_fill(p, type, 1);
	packet_fill(p, 0, 7);
}

static void add_header(struct packet *p, const struct packet_header *h)
{
	switch (h->kind) {
	case PACKET_END:
		break;
	case PACKET_FILL:
		packet_fill(p, (uint8_t)h->a, h->b);
		break;
	case PACKET_BE16:
		packet_be16(p, h->a);
		break;
	case PACKET_ETH:
		packet_eth(p, h->a);
		break;
	case PACKET_VLAN:
		packet_vlan(p, h->a, h->b);
		break;
	case PACKET_IPV4:
		packet_ipv4(p, (uint8_t)h->a, h->b);
		break;
	case PACKET_IPV6:
		packet_ipv6(p, (uint8_t)h->a);
		break;
	case PACKET_EXT:
		packet_ext(p, (uint8_t)h->a, (uint8_t)h->b);
		break;
	case PACKET_FRAG:
		packet_frag(p, (uint8_t)h->a, h->b & 0xfff8, h->b & 1);
		break;
	case PACKET_TCP:
		packet_tcp(p, h->a);
		break;
	case PACKET_UDP:
		packet_udp(p, h->a);
		break;
	}
}

void packet_headers(struct packet *p, const struct packet_header *headers)
{
	for (; headers->kind != PACKET_END; headers++)
		add_header(p, headers);
}
