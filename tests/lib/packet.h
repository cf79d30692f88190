/* SPDX-License-Identifier: MIT */
/* Packets built header by header, from the outside in. */
#ifndef TESTS_LIB_PACKET_H
#define TESTS_LIB_PACKET_H

#include <stddef.h>
#include <stdint.h>

enum { PACKET_MAX = 3400 }; /* BPF_PROG_TEST_RUN accepts little more than a page of linear data */

struct packet {
	uint8_t at[PACKET_MAX];
	size_t len;
};

/* Each function appends. The caller passes the type of the next header (EtherType, protocol), since
 * tests also need wrong ones. Checksums are zero, and lengths cover the header only: the tested
 * code does not read them. */
void packet_bytes(struct packet *p, const void *data, size_t len);
void packet_fill(struct packet *p, uint8_t byte, size_t len);
void packet_be16(struct packet *p, uint16_t value);

void packet_eth(struct packet *p, uint16_t type);
/* The tag's type was appended before. Appends the control word and the next type. */
void packet_vlan(struct packet *p, uint16_t id, uint16_t type);
void packet_arp(struct packet *p);
/* words: the header length field. As many 32-bit words are appended, at least 5. */
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

/* A packet as a table that ends with { 0 }. a and b are the arguments of the function with the same
 * name, 0 if it has fewer. For packet_frag(), b is the offset, plus 1 for more fragments. */
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
