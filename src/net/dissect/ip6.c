/* SPDX-License-Identifier: MIT */
/* IPv6 and its extension headers (RFC 8200, 8754). */
#include "net/dissect/internal.h"

enum {
	HOP_BY_HOP = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	NO_NEXT = 59,
	DEST_OPTIONS = 60,
	EXTENSIONS_MAX = 12
};

/* The header fields that -v shows before the addresses. */
static void put_ip6_header(struct line *l, const uint8_t *h)
{
	uint32_t flow = be32_at(h) & 0xfffff, class = be32_at(h) >> 20 & 0xff;

	put_char(l, '(');
	if (class) {
		PUT(l, "class 0x");
		put_hex_padded(l, class, 2);
		PUT(l, ", ");
	}
	if (flow) {
		PUT(l, "flowlabel 0x");
		put_hex_padded(l, flow, 5);
		PUT(l, ", ");
	}
	PUT_NUM(l, "hlim ", h[7]);
	PUT(l, ", next-header ");
	put_str(l, ip_proto_name(h[6]));
	PUT_NUM(l, " (", h[6]);
	PUT_NUM(l, ") payload length: ", be16_at(h + 4));
	PUT(l, ") ");
}

static const struct value_name ip6_options[] = {
	{ 1, "padn" }, { 5, "rtalert" }, { 0x63, "rpl" }, { 0xc2, "jumbo" }, { 0xc9, "homeaddr" },
};

/* Hop-by-hop and destination options, shown with -v. */
static void put_ext_options(struct line *l, struct cursor c)
{
	while (c.left) {
		uint8_t kind = cursor_u8(&c);
		const uint8_t *data;
		uint8_t len;

		if (kind == 0)
			continue;
		len = cursor_u8(&c);
		data = cursor_take(&c, len);
		if (!data && len) {
			put_truncated(l, "opt");
			return;
		}
		put_char(l, '(');
		put_value_name(l, VALUE_NAME(ip6_options, kind), "opt ", kind);
		if (kind == 5 && len == 2) {
			PUT(l, ": 0x");
			put_hex_padded(l, be16_at(data), 4);
		}
		PUT(l, ") ");
	}
}

/* Shows an options header and moves p past it. Returns false if it is cut off. */
static bool show_ext_options(struct line *l, struct pdu *p, const char *name, const char *cut)
{
	struct cursor c = p->c;
	const uint8_t *h = cursor_take(&c, 2);
	const uint8_t *data = h ? cursor_take(&c, h[1] * 8u + 6) : NULL;

	if (!data) {
		put_truncated(l, cut);
		return false;
	}
	put_str(l, name);
	put_char(l, ' ');
	if (l->opts->verbose)
		put_ext_options(l, cursor_of(data, h[1] * 8u + 6));
	p->c = c;
	*p = pdu_rest(p, h[1] * 8u + 8);
	return true;
}

static void put_segments(struct line *l, struct cursor c)
{
	const uint8_t *addr;

	for (uint32_t i = 0; c.left >= 16 && (addr = cursor_take(&c, 16)); i++) {
		PUT_NUM(l, ", [", i);
		put_char(l, ']');
		put_ip6(l, addr);
	}
}

static bool show_routing(struct line *l, struct pdu *p)
{
	struct cursor c = p->c;
	const uint8_t *h = cursor_take(&c, 8);
	const uint8_t *data = h ? cursor_take(&c, h[1] * 8u) : NULL;

	if (!h || (!data && h[1])) {
		put_truncated(l, "rt6");
		return false;
	}
	PUT_NUM(l, "RT6 (len=", h[1]);
	PUT_NUM(l, ", type=", h[2]);
	if (h[2] == 0)
		PUT(l, " [Deprecated]");
	PUT_NUM(l, ", segleft=", h[3]);
	if (h[2] != 0 && h[2] != 2 && h[2] != 4) {
		PUT(l, " (unknown type) (invalid)");
		return false;
	}
	if (h[2] == 4) {
		PUT_NUM(l, ", last-entry=", h[4]);
		if (l->opts->verbose) {
			PUT(l, ", flags=0x");
			put_hex(l, h[5]);
		}
		PUT(l, ", tag=");
		put_hex(l, be16_at(h + 6));
	} else if (l->opts->verbose) {
		PUT(l, ", rsv=0x");
		put_hex(l, be32_at(h + 4));
	}
	put_segments(l, cursor_of(data, h[1] * 8u));
	PUT(l, ") ");
	p->c = c;
	*p = pdu_rest(p, h[1] * 8u + 8);
	return true;
}

/* Returns false if this is not the first fragment, or it is cut off. */
static bool show_fragment(struct line *l, struct pdu *p)
{
	const uint8_t *h = cursor_take(&p->c, 8);
	uint16_t offset;

	if (!h) {
		put_truncated(l, "frag6");
		return false;
	}
	*p = pdu_rest(p, 8);
	offset = be16_at(h + 2) & 0xfff8;
	PUT(l, "frag (");
	if (l->opts->verbose) {
		PUT(l, "0x");
		put_hex_padded(l, be32_at(h + 4), 8);
		put_char(l, ':');
	}
	put_u32(l, offset);
	put_char(l, '|');
	put_u32(l, p->len);
	PUT(l, ") ");
	l->fragment = true;
	return !offset;
}

/* Shows an extension header and moves p past it. Returns false if nothing after it can be shown. */
static bool show_extension(struct line *l, uint8_t kind, struct pdu *p)
{
	switch (kind) {
	case HOP_BY_HOP:
		return show_ext_options(l, p, "HBH", "hbhopt");
	case DEST_OPTIONS:
		return show_ext_options(l, p, "DSTOPT", "dstopt");
	case ROUTING:
		return show_routing(l, p);
	default:
		return show_fragment(l, p);
	}
}

static bool is_extension(uint8_t proto)
{
	return proto == HOP_BY_HOP || proto == DEST_OPTIONS || proto == ROUTING ||
	       proto == FRAGMENT;
}

static void show_payload(struct line *l, uint8_t next, struct pdu p)
{
	for (int i = 0; is_extension(next); i++) {
		uint8_t kind = next;

		if (i == EXTENSIONS_MAX) {
			PUT(l, "[too many headers]");
			return;
		}
		next = p.c.left ? *p.c.at : 0;
		if (!show_extension(l, kind, &p))
			return;
	}
	if (next == NO_NEXT)
		PUT(l, "no next header");
	else
		show_proto(l, next, p);
}

void show_ip6(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 40);
	uint32_t len;

	if (!h) {
		put_truncated(l, "ip6");
		return;
	}
	if (!l->opts->link)
		PUT_INLINE(l, "IP6 ");
	if (h[0] >> 4 != 6) {
		PUT_NUM(l, "version error: ", h[0] >> 4);
		PUT(l, " != 6");
		return;
	}
	len = be16_at(h + 4);
	if (p.len < len + 40) {
		PUT_NUM(l, "truncated-ip6 - ", len + 40 - p.len);
		PUT(l, " bytes missing!");
	}
	if (l->opts->verbose)
		put_ip6_header(l, h);
	p.len = len;
	p = pdu_rest(&p, 0);
	l->src = h + 8;
	l->dst = h + 24;
	l->addr_len = 16;
	l->ttl = h[7];
	l->proto = h[6];
	l->fragment = false;
	if (l->proto != 6 && l->proto != 17 && l->proto != 132) {
		put_ip6(l, l->src);
		PUT(l, " > ");
		put_ip6(l, l->dst);
		PUT(l, ": ");
	}
	show_payload(l, h[6], p);
}
