/* SPDX-License-Identifier: MIT */
/* IPv6 and its extension headers (RFC 8200, 8754). */
#include "net/dissect/internal.h"

enum { HOP = 0, ROUTING = 43, FRAGMENT = 44, NO_NEXT = 59, DSTOPTS = 60, EXT_MAX = 12 };

/* What -v says in front of the addresses. */
static void put_ip6_header(struct line *l, const uint8_t *h)
{
	uint32_t flow = be32_at(h) & 0xfffff, class = be32_at(h) >> 20 & 0xff;

	put_char(l, '(');
	if (class) {
		PUT(l, "class 0x");
		put_hexn(l, class, 2);
		PUT(l, ", ");
	}
	if (flow) {
		PUT(l, "flowlabel 0x");
		put_hexn(l, flow, 5);
		PUT(l, ", ");
	}
	PUT_NUM(l, "hlim ", h[7]);
	PUT(l, ", next-header ");
	put_str(l, ip_proto_word(h[6]));
	PUT_NUM(l, " (", h[6]);
	PUT_NUM(l, ") payload length: ", be16_at(h + 4));
	PUT(l, ") ");
}

static const struct word ip6_options[] = {
	{ 1, "padn" }, { 5, "rtalert" }, { 0x63, "rpl" }, { 0xc2, "jumbo" }, { 0xc9, "homeaddr" },
};

/* Hop-by-hop and destination options: named with -v. */
static void put_options(struct line *l, struct cursor c)
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
			put_cut(l, "opt");
			return;
		}
		put_char(l, '(');
		put_word(l, WORD_OF(ip6_options, kind), "opt ", kind);
		if (kind == 5 && len == 2) {
			PUT(l, ": 0x");
			put_hexn(l, be16_at(data), 4);
		}
		PUT(l, ") ");
	}
}

/* Takes an options header; false if it was cut. */
static bool show_options(struct line *l, struct part *p, const char *word, const char *cut)
{
	struct cursor c = p->c;
	const uint8_t *h = cursor_take(&c, 2);
	const uint8_t *data = h ? cursor_take(&c, h[1] * 8u + 6) : NULL;

	if (!data) {
		put_cut(l, cut);
		return false;
	}
	put_str(l, word);
	put_char(l, ' ');
	if (l->o->verbose)
		put_options(l, cursor_of(data, h[1] * 8u + 6));
	p->c = c;
	*p = part_rest(p, h[1] * 8u + 8);
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

static bool show_routing(struct line *l, struct part *p)
{
	struct cursor c = p->c;
	const uint8_t *h = cursor_take(&c, 8);
	const uint8_t *data = h ? cursor_take(&c, h[1] * 8u) : NULL;

	if (!h || (!data && h[1])) {
		put_cut(l, "rt6");
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
		if (l->o->verbose) {
			PUT(l, ", flags=0x");
			put_hex(l, h[5]);
		}
		PUT(l, ", tag=");
		put_hex(l, be16_at(h + 6));
	} else if (l->o->verbose) {
		PUT(l, ", rsv=0x");
		put_hex(l, be32_at(h + 4));
	}
	put_segments(l, cursor_of(data, h[1] * 8u));
	PUT(l, ") ");
	p->c = c;
	*p = part_rest(p, h[1] * 8u + 8);
	return true;
}

/* False if it is not the first, or was cut. */
static bool show_fragment(struct line *l, struct part *p)
{
	const uint8_t *h = cursor_take(&p->c, 8);
	uint16_t offset;

	if (!h) {
		put_cut(l, "frag6");
		return false;
	}
	*p = part_rest(p, 8);
	offset = be16_at(h + 2) & 0xfff8;
	PUT(l, "frag (");
	if (l->o->verbose) {
		PUT(l, "0x");
		put_hexn(l, be32_at(h + 4), 8);
		put_char(l, ':');
	}
	put_u32(l, offset);
	put_char(l, '|');
	put_u32(l, p->len);
	PUT(l, ") ");
	l->fragment = true;
	return !offset;
}

/* One extension header, passed over; false if there is nothing to say behind it. */
static bool show_ext(struct line *l, uint8_t kind, struct part *p)
{
	switch (kind) {
	case HOP:
		return show_options(l, p, "HBH", "hbhopt");
	case DSTOPTS:
		return show_options(l, p, "DSTOPT", "dstopt");
	case ROUTING:
		return show_routing(l, p);
	default:
		return show_fragment(l, p);
	}
}

static bool is_ext(uint8_t proto)
{
	return proto == HOP || proto == DSTOPTS || proto == ROUTING || proto == FRAGMENT;
}

static void show_next(struct line *l, uint8_t next, struct part p)
{
	for (int i = 0; is_ext(next); i++) {
		uint8_t kind = next;

		if (i == EXT_MAX) {
			PUT(l, "[too many headers]");
			return;
		}
		next = p.c.left ? *p.c.at : 0;
		if (!show_ext(l, kind, &p))
			return;
	}
	if (next == NO_NEXT)
		PUT(l, "no next header");
	else
		show_proto(l, next, p);
}

void show_ip6(struct line *l, struct part p)
{
	const uint8_t *h = cursor_take(&p.c, 40);
	uint32_t len;

	if (!h) {
		put_cut(l, "ip6");
		return;
	}
	if (!l->o->link)
		HOT(l, "IP6 ");
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
	if (l->o->verbose)
		put_ip6_header(l, h);
	p.len = len;
	p = part_rest(&p, 0);
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
	show_next(l, h[6], p);
}
