/* SPDX-License-Identifier: MIT */
/* Packets built header by header, from the outside in. */
#ifndef TESTS_LIB_PACKET_H
#define TESTS_LIB_PACKET_H

#include <stddef.h>
#include <stdint.h>

enum { PACKET_MAX = 3400 }; /* BPF_PROG_TEST_RUN takes hardly more than a page in one piece */

struct packet {
	uint8_t at[PACKET_MAX];
	size_t len;
};

/* Each appends. A header that names what follows (EtherType, protocol, next header) is told so by
 * its caller: tests want wrong ones, too. Checksums are zero and lengths those of the header alone:
 * nothing that is tested with it looks at them. */
void packet_bytes(struct packet *p, const void *data, size_t len);
void packet_fill(struct packet *p, uint8_t byte, size_t len);
void packet_be16(struct packet *p, uint16_t value);

void packet_eth(struct packet *p, uint16_t type);
/* The tag's own type is what went before: this is its control word and the type behind it. */
void packet_vlan(struct packet *p, uint16_t id, uint16_t type);
void packet_arp(struct packet *p);
/* words: the header's length in 32-bit words as it is claimed; so much is appended, 5 at least. */
void packet_ipv4(struct packet *p, uint8_t proto, unsigned int words);
/* Set the fragment word of the IPv4 header (without options) that was appended last. */
void packet_ipv4_frag(struct packet *p, uint16_t frag);
void packet_ipv6(struct packet *p, uint8_t next);
/* An extension header of 8 * (1 + units) bytes. */
void packet_ext(struct packet *p, uint8_t next, uint8_t units);
/* offset: in bytes, a multiple of 8. */
void packet_frag(struct packet *p, uint8_t next, uint16_t offset, int more);
void packet_ah(struct packet *p, uint8_t next);
/* words: as in packet_ipv4(). */
void packet_tcp(struct packet *p, unsigned int words);
void packet_udp(struct packet *p, size_t payload);
void packet_icmp(struct packet *p, uint8_t type);

/* A packet as a table, up to { 0 }: of each header what the function of its name is told, 0 where
 * that takes less; to packet_frag() the offset with 1 for more. */
struct packet_header {
	enum {
		PACKET_END,
		PACKET_FILL,
		PACKET_BE16,
		PACKET_ETH,
		PACKET_VLAN,
		PACKET_IPV4,
		PACKET_IPV6,
		PACKET_EXT,
		PACKET_FRAG,
		PACKET_TCP,
		PACKET_UDP,
	} kind;
	uint16_t a, b;
};
void packet_headers(struct packet *p, const struct packet_header *headers);

#endif
