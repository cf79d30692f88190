/* SPDX-License-Identifier: MIT */
/* What the parts of dissection share: the line that is written, and each protocol's entrance. */
#ifndef NET_DISSECT_INTERNAL_H
#define NET_DISSECT_INTERNAL_H

#include <string.h>
#include "base/array.h"
#include "base/cursor.h"
#include "net/dissect/dissect.h"

/* One packet's dissection. */
struct line {
	char *at, *end; /* the text so far ends here and may grow to there */
	bool full;
	const struct dissect_opts *o;
	struct dissect_state *s;
	/* Of the innermost IP header: addresses of addr_len bytes, NULL outside of IP. */
	const uint8_t *src, *dst;
	uint8_t addr_len;
	uint8_t ttl;
	uint8_t proto;     /* the header's own word for what follows, before extension headers */
	bool fragment;     /* the first of several: checksums cannot be checked */
	uint8_t auths;     /* authentication headers in one packet, which may follow each other */
	uint8_t depth;     /* packets in packets */
	uint32_t link_len; /* of the outermost link-layer header, with its tags */
};

/* Bytes of a protocol: those that were captured, and how many there were (at least as many). */
struct part {
	struct cursor c;
	uint32_t len;
};

void put_mem(struct line *l, const char *s, size_t n);
/* A literal: its length is known. */
#define PUT(l, s) put_mem(l, "" s, sizeof(s) - 1)

/* dissect_text.c. Bytes of packets only get into a line by put_safe and put_hex_bytes. */
/* The same where most packets come by: the copy is a move or two, for more code. */
static inline void put_hot(struct line *l, const char *s, size_t n)
{
	if (__builtin_expect(n > (size_t)(l->end - l->at), 0)) {
		put_mem(l, s, n);
		return;
	}
	memcpy(l->at, s, n);
	l->at += n;
}
#define HOT(l, s) put_hot(l, "" s, sizeof(s) - 1)
#define HOT_NUM(l, s, v)         \
	do {                     \
		HOT(l, s);       \
		put_u32(l, (v)); \
	} while (0)

void put_char(struct line *l, char c);
void put_str(struct line *l, const char *s);
void put_u32(struct line *l, uint32_t v);
void put_num(struct line *l, const char *s, size_t n, uint32_t v);
void put_dec(struct line *l, uint32_t v, unsigned int digits); /* with leading zeros */
void put_hex(struct line *l, uint32_t v);                      /* without */
void put_hexn(struct line *l, uint32_t v, unsigned int digits);
void put_hex_bytes(struct line *l, const uint8_t *p, size_t n);
void put_safe(struct line *l, const uint8_t *p, size_t n); /* controls as ^X, the rest as M-... */
void put_ip4(struct line *l, const uint8_t *p);
void put_ip6(struct line *l, const uint8_t *p);
void put_ip(struct line *l, const uint8_t *p, uint8_t len);
void put_mac(struct line *l, const uint8_t *p);
/* " [|name]": the rest was not captured. */
void put_cut(struct line *l, const char *name);
/* The word of value, or fallback and the number. */
struct word {
	uint16_t value;
	char word[31]; /* here, since a pointer would cost its relocation, too */
	uint8_t : 8;   /* zero: the end of a word that fills its room */
};
const char *word_of(const struct word *words, size_t n, uint32_t value);
#define WORD_OF(words, value) word_of(words, ARRAY_LEN(words), value)
void put_word(struct line *l, const char *word, const char *fallback, uint32_t value);
/* The words of the bits that are set, comma-separated; "none". */
void put_bits(struct line *l, const struct word *words, size_t n, uint32_t bits, const char *sep);

/* A literal and a number. */
#define PUT_NUM(l, s, v) put_num(l, "" s, sizeof(s) - 1, (v))
#define PUT_LENGTH(l, v) PUT_NUM(l, ", length ", v)

/* A part's bytes from the cursor on, of n bytes on the wire. */
static inline struct part part_rest(const struct part *p, uint32_t passed)
{
	struct part rest = { p->c, p->len > passed ? p->len - passed : 0 };

	if (rest.c.left > rest.len)
		rest.c.left = rest.len;
	return rest;
}

/* dissect_time.c, dissect_dump.c */
void put_time(struct line *l, uint64_t time_ns);
void dissect_dump(struct buf *out, const uint8_t *data, size_t len, uint8_t how);

/* dissect_names.c */
const char *ip_proto_word(uint8_t proto);
/* ".name" or ".number", as the options say */
void put_port(struct line *l, bool udp, uint16_t port);
void put_port_alone(struct line *l, bool udp, uint16_t port);
/* "a.1 > b.2: ", or "1 > 2: " where extension headers came between. */
void put_ends(struct line *l, uint8_t proto, uint16_t sport, uint16_t dport);

/* dissect_sum.c: the checksum over the pseudo-header and len bytes; 0 is right. */
uint16_t sum_of(const uint8_t *p, size_t n, uint32_t start);
uint16_t sum_pseudo(const struct line *l, uint8_t proto, const uint8_t *p, uint32_t len);

/* Each protocol: what it says, from its first byte on. */
void show_link(struct line *l, uint16_t link, struct part p);
void show_ethernet(struct line *l, struct part p);
/* NULL if there is none. */
const char *ethertype_word(uint16_t type);
/* What follows an EtherType; false if it is unknown (then nothing was written). */
bool show_ethertype(struct line *l, uint16_t type, struct part p);
void show_llc(struct line *l, struct part p);
void show_mpls(struct line *l, struct part p);
void show_arp(struct line *l, struct part p);
void show_ip(struct line *l, struct part p); /* IPv4 or IPv6 by its first four bits */
void show_ip4(struct line *l, struct part p);
void show_ip6(struct line *l, struct part p);
/* A protocol of IP. */
void show_proto(struct line *l, uint8_t proto, struct part p);
void show_tcp(struct line *l, struct part p);
void show_udp(struct line *l, struct part p);
void show_sctp(struct line *l, struct part p);
void show_icmp(struct line *l, struct part p);
void show_icmp6(struct line *l, struct part p);
void show_igmp(struct line *l, struct part p);
void show_gre(struct line *l, struct part p);
/* True if another tunnel may be entered. */
bool enter_tunnel(struct line *l);
/* Payloads of UDP. */
void show_dns(struct line *l, struct part p, bool mdns);
void show_dhcp(struct line *l, struct part p);
void show_dhcp6(struct line *l, struct part p);
void show_ntp(struct line *l, struct part p);
void show_vxlan(struct line *l, struct part p);
void show_geneve(struct line *l, struct part p);
/* False, and nothing written, if it is none. */
bool show_quic(struct line *l, struct part p);
bool show_wireguard(struct line *l, struct part p);
/* What is in a TCP segment, behind its length. */
void show_stream(struct line *l, struct part p, uint16_t sport, uint16_t dport);

#endif
