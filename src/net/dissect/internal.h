/* SPDX-License-Identifier: MIT */
/* Shared by the dissectors: the line being written, and the entry point of each protocol. */
#ifndef NET_DISSECT_INTERNAL_H
#define NET_DISSECT_INTERNAL_H

#include <string.h>
#include "base/array.h"
#include "base/cursor.h"
#include "net/dissect/dissect.h"

/* The line being written, and the state of the packet's dissection. */
struct line {
	char *at, *end; /* end of the text, and of the room for it */
	bool full;      /* the text did not fit */
	const struct dissect_opts *opts;
	struct dissect_state *state;
	/* Of the innermost IP header: addresses of addr_len bytes, NULL if there is none. */
	const uint8_t *src, *dst;
	uint8_t addr_len;
	uint8_t ttl;
	uint8_t proto;     /* protocol field of the header; extension headers may come first */
	bool fragment;     /* the first of several fragments: checksums cannot be verified */
	uint8_t nauths;    /* authentication headers of the packet, which are limited */
	uint8_t depth;     /* nesting of packets */
	uint32_t link_len; /* of the outermost link-layer header, with VLAN tags */
};

/* A protocol data unit: the captured bytes, and its length on the wire (at least as many). */
struct pdu {
	struct cursor c;
	uint32_t len;
};

/* text.c. Bytes of packets get into a line only by put_escaped() and put_hex_bytes(). */
void put_mem(struct line *l, const char *s, size_t n);
/* Appends a string literal. */
#define PUT(l, s) put_mem(l, "" s, sizeof(s) - 1)

/* Like put_mem(), inlined for the most frequent packets: saves a call, for more code. */
static inline void put_inline(struct line *l, const char *s, size_t n)
{
	if (__builtin_expect(n > (size_t)(l->end - l->at), 0)) {
		put_mem(l, s, n);
		return;
	}
	memcpy(l->at, s, n);
	l->at += n;
}
#define PUT_INLINE(l, s) put_inline(l, "" s, sizeof(s) - 1)
#define PUT_NUM_INLINE(l, s, v)   \
	do {                      \
		PUT_INLINE(l, s); \
		put_u32(l, (v));  \
	} while (0)

void put_char(struct line *l, char c);
void put_str(struct line *l, const char *s);
void put_u32(struct line *l, uint32_t v);
void put_text_num(struct line *l, const char *s, size_t n, uint32_t v);
void put_dec_padded(struct line *l, uint32_t v, unsigned int digits); /* with leading zeros */
void put_hex(struct line *l, uint32_t v);                             /* without leading zeros */
void put_hex_padded(struct line *l, uint32_t v, unsigned int digits);
void put_hex_bytes(struct line *l, const uint8_t *p, size_t n);
/* Control characters as ^X, bytes above 0x7f as M-X. */
void put_escaped(struct line *l, const uint8_t *p, size_t n);
void put_ip4(struct line *l, const uint8_t *p);
void put_ip6(struct line *l, const uint8_t *p);
void put_ip(struct line *l, const uint8_t *p, uint8_t len);
void put_mac(struct line *l, const uint8_t *p);
/* " [|name]": the rest of the packet was not captured. */
void put_truncated(struct line *l, const char *name);
/* A name for a value. Arrays, not pointers, which would cost a relocation each. */
struct value_name {
	uint16_t value;
	char name[31];
	uint8_t : 8; /* zero, so that a name of 31 bytes is terminated */
};
/* NULL: the value has no name. */
const char *find_value_name(const struct value_name *names, size_t n, uint32_t value);
#define VALUE_NAME(names, value) find_value_name(names, ARRAY_LEN(names), value)
/* Appends name, or, if it is NULL, fallback and the value. */
void put_value_name(struct line *l, const char *name, const char *fallback, uint32_t value);
/* Writes the names of the bits that are set, separated by sep; "none" if no bit is set. */
void put_bits(struct line *l, const struct value_name *names, size_t n, uint32_t bits,
	      const char *sep);

/* Appends a string literal and a number. */
#define PUT_NUM(l, s, v) put_text_num(l, "" s, sizeof(s) - 1, (v))
#define PUT_LENGTH(l, v) PUT_NUM(l, ", length ", v)

/* Returns the rest of a PDU after its cursor, which is skip bytes past its start. */
static inline struct pdu pdu_rest(const struct pdu *p, uint32_t skip)
{
	struct pdu rest = { p->c, p->len > skip ? p->len - skip : 0 };

	if (rest.c.left > rest.len)
		rest.c.left = rest.len;
	return rest;
}

/* time.c, dump.c */
void put_time(struct line *l, uint64_t time_ns);
void dissect_put_dump(struct buf *out, const uint8_t *data, size_t len, uint8_t how);

/* names.c */
const char *ip_proto_name(uint8_t proto);
/* Writes the port's name, or its number. */
void put_port(struct line *l, bool udp, uint16_t port);
/* "a.1 > b.2: ", or "1 > 2: " after extension headers. */
void put_endpoints(struct line *l, uint8_t proto, uint16_t sport, uint16_t dport);

/* checksum.c: the Internet checksum (RFC 1071) over n bytes, without and with the pseudo-header; 0
 * if the checksum in them is correct. start: added to the sum. */
uint16_t compute_checksum(const uint8_t *p, size_t n, uint32_t start);
uint16_t compute_pseudo_checksum(const struct line *l, uint8_t proto, const uint8_t *p,
				 uint32_t len);
/* Returns the checksum to expect instead of wrong, given the result over the bytes that include
 * it. */
uint16_t correct_checksum(uint16_t sum, uint16_t wrong);

/* Entry points of the protocols; p starts at the first byte of the header. */
void show_link_layer(struct line *l, uint16_t link, struct pdu p);
void show_ethernet(struct line *l, struct pdu p);
/* Returns the name of an EtherType; NULL: unknown. */
const char *ethertype_name(uint16_t type);
/* Dissects what follows an EtherType. Returns false, with nothing written, if it is unknown. */
bool show_ethertype(struct line *l, uint16_t type, struct pdu p);
void show_llc(struct line *l, struct pdu p);
void show_mpls(struct line *l, struct pdu p);
void show_arp(struct line *l, struct pdu p);
void show_ip(struct line *l, struct pdu p); /* IPv4 or IPv6 by the version field */
void show_ip4(struct line *l, struct pdu p);
void show_ip6(struct line *l, struct pdu p);
/* Shows a protocol that IP carries. */
void show_proto(struct line *l, uint8_t proto, struct pdu p);
void show_tcp(struct line *l, struct pdu p);
void show_udp(struct line *l, struct pdu p);
void show_sctp(struct line *l, struct pdu p);
void show_icmp(struct line *l, struct pdu p);
void show_icmp6(struct line *l, struct pdu p);
void show_igmp(struct line *l, struct pdu p);
void show_gre(struct line *l, struct pdu p);
/* Starts a nested packet. Returns false, with a note in the line, if the nesting is too deep. */
bool enter_tunnel(struct line *l);
/* UDP payloads. */
void show_dns(struct line *l, struct pdu p, bool mdns);
void show_dhcp(struct line *l, struct pdu p);
void show_dhcp6(struct line *l, struct pdu p);
void show_ntp(struct line *l, struct pdu p);
void show_vxlan(struct line *l, struct pdu p);
void show_geneve(struct line *l, struct pdu p);
/* Return false, with nothing written, if the payload is something else. */
bool show_quic(struct line *l, struct pdu p);
bool show_wireguard(struct line *l, struct pdu p);
/* Shows the payload of a TCP segment, after the length. */
void show_stream(struct line *l, struct pdu p, uint16_t sport, uint16_t dport);

#endif
