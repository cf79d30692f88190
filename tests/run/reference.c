/* SPDX-License-Identifier: MIT */
/* A reference parser, written from the standards and not from the kernel programs: IEEE 802.3 and
 * 802.1Q, RFC 791, 826 and 8200. */
#include "tests/run/run.h"

enum {
	TAGS_MAX = 2, /* a service tag and a customer tag; parsing stops at a third */
	EXTS_MAX = 6, /* parsed extension headers */
};

/* Unread bytes. */
struct unread {
	const uint8_t *at;
	size_t left;
};

/* Consumes len bytes. Returns them, or NULL if fewer are left. */
static const uint8_t *take_bytes(struct unread *r, size_t len)
{
	const uint8_t *at = r->at;

	if (len > r->left)
		return NULL;
	r->at += len;
	r->left -= len;
	return at;
}

static unsigned int be16_at(const uint8_t *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

/* RFC 791 sec. 3.1: version and header length in 32-bit words, at least 5; options up to that
 * length. */
static struct packet_class parse_ipv4(struct unread r)
{
	struct packet_class bad = { GATE_IPV4, GATE_PROTO_BAD };
	const uint8_t *ip = take_bytes(&r, 20);
	unsigned int words;

	if (!ip || ip[0] >> 4 != 4)
		return bad;
	words = ip[0] & 15;
	if (words < 5 || !take_bytes(&r, (words - 5) * 4))
		return bad;
	return (struct packet_class){ GATE_IPV4, ip[9] };
}

/* RFC 8200 sec. 4: hop-by-hop options, routing and destination options have their length in units
 * of 8 bytes after the first 8; a fragment header has 8 bytes. In later fragments no header follows
 * it. */
static struct packet_class parse_ipv6(struct unread r)
{
	struct packet_class bad = { GATE_IPV6, GATE_PROTO_BAD };
	const uint8_t *ip = take_bytes(&r, 40), *ext;
	uint8_t next;

	if (!ip || ip[0] >> 4 != 6)
		return bad;
	next = ip[6];
	for (int n = 0; n < EXTS_MAX; n++) {
		bool fragment = next == 44;

		if (next != 0 && next != 43 && next != 60 && !fragment)
			break;
		ext = take_bytes(&r, 8);
		if (!ext || (!fragment && !take_bytes(&r, ext[1] * 8u)))
			return bad;
		next = ext[0];
		if (fragment && be16_at(ext + 2) >> 3)
			break;
	}
	return (struct packet_class){ GATE_IPV6, next };
}

static struct packet_class parse_network(unsigned int type, struct unread r)
{
	if (type == 0x0800)
		return parse_ipv4(r);
	if (type == 0x86dd)
		return parse_ipv6(r);
	if (type == 0x0806)
		return (struct packet_class){ GATE_ARP, GATE_PROTO_NONE };
	/* IEEE 802.3 clause 3.2.6: up to 1500 a length; 1501 to 1535 undefined */
	return (struct packet_class){ GATE_OTHER, type < 1536 ? 4 : type };
}

struct packet_class reference_classify(const uint8_t *data, size_t len, bool ethernet)
{
	struct packet_class bad = { GATE_OTHER, GATE_PROTO_BAD };
	struct unread r = { data, len };
	const uint8_t *eth, *tag;
	unsigned int type;

	if (!ethernet && (!len || (data[0] >> 4 != 4 && data[0] >> 4 != 6)))
		return bad;
	if (!ethernet)
		return data[0] >> 4 == 6 ? parse_ipv6(r) : parse_ipv4(r);
	eth = take_bytes(&r, 14);
	if (!eth)
		return bad;
	type = be16_at(eth + 12);
	for (int n = 0; n < TAGS_MAX; n++) {
		if (type != 0x8100 && type != 0x88a8 && type != 0x9100)
			break;
		tag = take_bytes(&r, 4);
		if (!tag)
			return bad;
		type = be16_at(tag + 2);
	}
	return parse_network(type, r);
}
