/* SPDX-License-Identifier: MIT */
/* Tunnels: GRE (RFC 2784, 2890, 2637), VXLAN (RFC 7348), Geneve (RFC 8926). */
#include "net/dissect/internal.h"

enum { TEB = 0x6558 };

/* Shows the inner packet. Returns false if its type is unknown. */
static bool show_inner(struct line *l, uint16_t type, struct pdu p)
{
	if (type != TEB && type != 0x0800 && type != 0x86dd && type != 0x8847 && type != 0x0806)
		return false;
	if (!enter_tunnel(l))
		return true;
	if (type == TEB)
		show_ethernet(l, p);
	else
		show_ethertype(l, type, p);
	return true;
}

static void put_unknown_type(struct line *l, const char *what, uint16_t type)
{
	put_str(l, what);
	put_hex_padded(l, type, 4);
}

static const struct value_name gre_flags[] = {
	{ 0x8000, "checksum present" },
	{ 0x4000, "routing present" },
	{ 0x2000, "key present" },
	{ 0x1000, "sequence# present" },
	{ 0x0800, "source routing present" },
};

/* Shows the optional fields in their order. Returns false if they are cut off. */
static bool show_gre_fields(struct line *l, struct cursor *c, uint16_t flags)
{
	const uint8_t *p;

	if (flags & 0xc000) {
		p = cursor_take(c, 4);
		if (!p)
			return false;
		if (flags & 0x8000 && l->opts->verbose) {
			PUT(l, ", sum 0x");
			put_hex(l, be16_at(p));
		}
		PUT(l, ", off 0x");
		put_hex(l, be16_at(p + 2));
	}
	if (flags & 0x2000) {
		p = cursor_take(c, 4);
		if (!p)
			return false;
		PUT(l, ", key=0x");
		put_hex(l, be32_at(p));
	}
	if (flags & 0x1000) {
		p = cursor_take(c, 4);
		if (!p)
			return false;
		PUT_NUM(l, ", seq ", be32_at(p));
	}
	return true;
}

static void put_gre_proto(struct line *l, uint16_t type)
{
	const char *name = ethertype_name(type);

	PUT(l, ", proto ");
	put_str(l, name ? name : "unknown");
	put_unknown_type(l, " (0x", type);
	put_char(l, ')');
}

/* Version 1, PPTP (RFC 2637): PPP in GRE. */
static void show_gre_v1(struct line *l, struct cursor c, const uint8_t *h, uint32_t len)
{
	uint16_t flags = be16_at(h);
	const uint8_t *p = flags & 0x2000 ? cursor_take(&c, 4) : NULL;

	if (flags & 0x2000) {
		if (!p) {
			put_truncated(l, "gre");
			return;
		}
		PUT_NUM(l, ", call ", be16_at(p + 2));
	}
	if (flags & 0x1000) {
		p = cursor_take(&c, 4);
		if (!p) {
			put_truncated(l, "gre");
			return;
		}
		PUT_NUM(l, ", seq ", be32_at(p));
	} else {
		PUT(l, ", no-payload");
	}
	if (l->opts->link)
		put_gre_proto(l, be16_at(h + 2));
	PUT_LENGTH(l, len);
}

void show_gre(struct line *l, struct pdu p)
{
	size_t total = p.c.left;
	const uint8_t *h = cursor_take(&p.c, 4);
	uint16_t flags, type;
	uint32_t len = p.len;

	if (!h) {
		put_truncated(l, "gre");
		return;
	}
	flags = be16_at(h);
	type = be16_at(h + 2);
	PUT_NUM(l, "GREv", flags & 7);
	if (l->opts->verbose && (flags & 7) < 2) {
		PUT(l, ", Flags [");
		put_bits(l, gre_flags, ARRAY_LEN(gre_flags), flags, ", ");
		put_char(l, ']');
	}
	if ((flags & 7) == 1) {
		show_gre_v1(l, p.c, h, len);
		return;
	}
	if (flags & 7) {
		PUT(l, " ERROR: unknown-version");
		return;
	}
	if (!show_gre_fields(l, &p.c, flags)) {
		put_truncated(l, "gre");
		return;
	}
	if (l->opts->link)
		put_gre_proto(l, type);
	PUT_LENGTH(l, len);
	put_str(l, l->opts->verbose ? " " : ": ");
	if (!show_inner(l, type, pdu_rest(&p, (uint32_t)(total - p.c.left))))
		put_unknown_type(l, "gre-proto-0x", type);
}

void show_vxlan(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 8);

	PUT(l, "VXLAN");
	if (p.len < 8) {
		PUT(l, " (invalid)");
		return;
	}
	if (!h) {
		put_truncated(l, "vxlan");
		return;
	}
	PUT(l, ", flags [");
	put_str(l, h[0] & 8 ? "I" : "invalid");
	PUT(l, "] (0x");
	put_hex_padded(l, h[0], 2);
	PUT_NUM(l, "), vni ", be32_at(h + 4) >> 8);
	put_char(l, ' ');
	if (enter_tunnel(l))
		show_ethernet(l, pdu_rest(&p, 8));
}

void show_geneve(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 8);
	unsigned int options;
	uint16_t type;

	PUT(l, "Geneve");
	if (!h) {
		put_truncated(l, "geneve");
		return;
	}
	if (h[0] >> 6) {
		PUT_NUM(l, " ERROR: unknown-version ", h[0] >> 6);
		return;
	}
	PUT(l, ", Flags [");
	put_str(l, h[1] & 0x80 ? "O" : "");
	put_str(l, h[1] & 0x40 ? "C" : "");
	put_str(l, h[1] & 0xc0 ? "" : "none");
	PUT(l, "], vni 0x");
	put_hex(l, be32_at(h + 4) >> 8);
	type = be16_at(h + 2);
	if (l->opts->link)
		put_gre_proto(l, type);
	options = (h[0] & 0x3fu) * 4;
	if (!cursor_skip(&p.c, options)) {
		put_truncated(l, "geneve");
		return;
	}
	if (options) {
		PUT_NUM(l, ", options [", options);
		PUT(l, " bytes]");
	}
	put_str(l, l->opts->verbose ? " " : ": ");
	if (!show_inner(l, type, pdu_rest(&p, 8 + options)))
		put_unknown_type(l, "geneve-proto-0x", type);
}
