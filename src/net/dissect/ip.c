/* SPDX-License-Identifier: MIT */
/* IPv4 (RFC 791), and the protocols that IP carries. */
#include "net/dissect/internal.h"
#include "net/proto.h"

static const struct value_name ip_options[] = {
	{ 0, "EOL" },        { 1, "NOP" },    { 7, "RR" },     { 68, "timestamp" },
	{ 130, "security" }, { 131, "LSRR" }, { 137, "SSRR" }, { 148, "RA" },
};

/* The loop ends because each option takes at least a byte. */
static void put_ip_options(struct line *l, struct cursor c)
{
	PUT(l, ", options (");
	for (bool first = true; c.left; first = false) {
		uint8_t kind = cursor_u8(&c), len;
		const char *name = VALUE_NAME(ip_options, kind);
		const uint8_t *data;

		if (!first)
			put_char(l, ',');
		put_value_name(l, name, "unknown ", kind);
		if (kind == 0)
			break;
		if (kind == 1)
			continue;
		len = cursor_u8(&c);
		data = len < 2 ? NULL : cursor_take(&c, len - 2u);
		if (!data) {
			PUT_NUM(l, " [bad length ", len);
			put_char(l, ']');
			break;
		}
		if (kind != 7 && kind != 131 && kind != 137)
			continue;
		for (unsigned int at = 1; at + 4 <= len - 2u; at += 4) {
			put_char(l, ' ');
			put_ip4(l, data + at);
		}
	}
	put_char(l, ')');
}

static const struct value_name frag_flags[] = { { 0x2000, "+" },
						{ 0x4000, "DF" },
						{ 0x8000, "rsvd" } };

/* The header fields that -v shows before the addresses. */
static void put_ip_header(struct line *l, const uint8_t *h, unsigned int hlen)
{
	static const char *const ecn[] = { "", ",ECT(1)", ",ECT(0)", ",CE" };
	uint16_t frag = be16_at(h + 6), sum = compute_checksum(h, hlen, 0);

	PUT(l, "(tos 0x");
	put_hex(l, h[1]);
	put_str(l, ecn[h[1] & 3]);
	PUT_NUM(l, ", ttl ", h[8]);
	PUT_NUM(l, ", id ", be16_at(h + 4));
	PUT_NUM(l, ", offset ", (frag & 0x1fffu) * 8);
	PUT(l, ", flags [");
	put_bits(l, frag_flags, ARRAY_LEN(frag_flags), frag, ", ");
	PUT(l, "], proto ");
	put_str(l, ip_proto_name(h[9]));
	PUT_NUM(l, " (", h[9]);
	put_char(l, ')');
	PUT_LENGTH(l, be16_at(h + 2));
	if (hlen > 20)
		put_ip_options(l, cursor_of(h + 20, hlen - 20));
	if (sum) {
		PUT(l, ", bad cksum ");
		put_hex(l, be16_at(h + 10));
		PUT(l, " (->");
		put_hex(l, compute_checksum(h, hlen, (uint16_t)~be16_at(h + 10)));
		PUT(l, ")!");
	}
	PUT(l, ") ");
}

/* These protocols print their ports with the addresses. */
static bool has_ports(uint8_t proto)
{
	return proto == 6 || proto == 17 || proto == 132;
}

static void put_addresses(struct line *l)
{
	put_ip(l, l->src, l->addr_len);
	PUT(l, " > ");
	put_ip(l, l->dst, l->addr_len);
	PUT(l, ": ");
}

static void put_later_fragment(struct line *l, uint8_t proto)
{
	const char *name = l->opts->numeric ? NULL : net_proto_name(proto);

	put_addresses(l);
	put_value_name(l, name, "ip-proto-", proto);
}

/* Returns true if the header is valid; else writes why not. */
static bool check_ip4(struct line *l, const uint8_t *h, const struct pdu *p, unsigned int hlen)
{
	uint16_t total = h ? be16_at(h + 2) : 0;

	if (!h) {
		put_truncated(l, "ip");
	} else if (hlen < 20) {
		PUT_NUM(l, "bad-hlen ", hlen);
	} else if (total < hlen) {
		PUT_NUM(l, "bad-len ", total);
	} else if (p->c.left < hlen) {
		PUT_NUM(l, " [remaining caplen(", (uint32_t)p->c.left);
		PUT_NUM(l, ") < header length(", hlen);
		PUT(l, ")]");
		put_truncated(l, "ip");
	} else {
		return true;
	}
	return false;
}

static void show_ip4_body(struct line *l, struct pdu p, const uint8_t *h, unsigned int hlen)
{
	uint16_t frag = be16_at(h + 6), total = be16_at(h + 2);

	if (p.len < total) {
		PUT_NUM(l, "truncated-ip - ", total - p.len);
		PUT(l, " bytes missing! ");
	}
	if (l->opts->verbose)
		put_ip_header(l, h, hlen);
	p.len = total;
	cursor_take(&p.c, hlen);
	p = pdu_rest(&p, hlen);
	l->src = h + 12;
	l->dst = h + 16;
	l->addr_len = 4;
	l->ttl = h[8];
	l->proto = h[9];
	l->fragment = frag & 0x2000;
	if (frag & 0x1fff) {
		put_later_fragment(l, h[9]);
		return;
	}
	if (!has_ports(h[9]))
		put_addresses(l);
	show_proto(l, h[9], p);
}

void show_ip4(struct line *l, struct pdu p)
{
	struct cursor c = p.c;
	const uint8_t *h;
	unsigned int hlen;

	if (!c.left) {
		put_truncated(l, "ip");
		return;
	}
	if (!l->opts->link)
		PUT_INLINE(l, "IP");
	if (*c.at >> 4 != 4) {
		put_u32(l, *c.at >> 4);
		PUT(l, " (invalid)");
		return;
	}
	if (!l->opts->link)
		put_char(l, ' ');
	h = cursor_take(&c, 20);
	hlen = h ? (h[0] & 15u) * 4 : 0;
	if (check_ip4(l, h, &p, hlen))
		show_ip4_body(l, p, h, hlen);
}

void show_ip(struct line *l, struct pdu p)
{
	if (!p.c.left) {
		put_truncated(l, "ip");
		return;
	}
	switch (*p.c.at >> 4) {
	case 4:
		show_ip4(l, p);
		break;
	case 6:
		show_ip6(l, p);
		break;
	default:
		PUT_NUM(l, "unknown ip ", *p.c.at >> 4);
	}
}

static void show_ip_in_ip(struct line *l, struct pdu p)
{
	uint8_t version = l->proto == 41 ? 6 : 4;

	if (!p.c.left) {
		put_truncated(l, version == 6 ? "ip6" : "ip");
		return;
	}
	if (!enter_tunnel(l))
		return;
	if (version == 6)
		show_ip6(l, p);
	else
		show_ip4(l, p);
}

static void show_esp(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 8);

	if (!h) {
		put_truncated(l, "esp");
		return;
	}
	PUT(l, "ESP(spi=0x");
	put_hex_padded(l, be32_at(h), 8);
	PUT(l, ",seq=0x");
	put_hex(l, be32_at(h + 4));
	put_char(l, ')');
	PUT_LENGTH(l, p.len);
}

enum { AUTHS_MAX = 4 };

static void show_ah(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 12), *icv;
	unsigned int icv_len;

	if (!h) {
		put_truncated(l, "ah");
		return;
	}
	PUT(l, "AH(");
	if (l->opts->verbose) {
		PUT_NUM(l, "length=", h[1]);
		PUT_NUM(l, "(", (h[1] + 2u) * 4);
		PUT(l, "-bytes),");
	}
	PUT(l, "spi=0x");
	put_hex_padded(l, be32_at(h + 4), 8);
	PUT(l, ",seq=0x");
	put_hex(l, be32_at(h + 8));
	icv_len = h[1] > 1 ? (h[1] - 1u) * 4 : 0;
	icv = cursor_take(&p.c, icv_len);
	if (!icv) {
		put_truncated(l, "ah");
		return;
	}
	PUT(l, ",icv=0x");
	put_hex_bytes(l, icv, icv_len);
	PUT(l, "): ");
	if (++l->nauths > AUTHS_MAX)
		PUT(l, "[nested too deep]");
	else
		show_proto(l, h[0], pdu_rest(&p, 12 + icv_len));
}

static void show_ipcomp(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 4);

	if (!h) {
		put_truncated(l, "ipcomp");
		return;
	}
	PUT(l, "IPComp(cpi=0x");
	put_hex_padded(l, be16_at(h + 2), 4);
	put_char(l, ')');
}

static void show_icmp_over_ip4(struct line *l, struct pdu p)
{
	if (l->addr_len == 4)
		show_icmp(l, p);
	else
		PUT(l, "[ICMP requires IPv4] (invalid)");
}

static void show_icmp6_over_ip6(struct line *l, struct pdu p)
{
	if (l->addr_len == 16)
		show_icmp6(l, p);
	else
		PUT(l, "[ICMPv6 requires IPv6] (invalid)");
}

static const struct {
	uint8_t proto;
	void (*show)(struct line *l, struct pdu p);
} ip_protocols[] = {
	{ 6, show_tcp },           { 17, show_udp },
	{ 1, show_icmp_over_ip4 }, { 58, show_icmp6_over_ip6 },
	{ 132, show_sctp },        { 2, show_igmp },
	{ 4, show_ip_in_ip },      { 41, show_ip_in_ip },
	{ 47, show_gre },          { 50, show_esp },
	{ 51, show_ah },           { 108, show_ipcomp },
};

void show_proto(struct line *l, uint8_t proto, struct pdu p)
{
	const char *name;

	for (size_t i = 0; i < ARRAY_LEN(ip_protocols); i++)
		if (ip_protocols[i].proto == proto) {
			if (proto == 4 || proto == 41)
				l->proto = proto;
			ip_protocols[i].show(l, p);
			return;
		}
	name = l->opts->numeric ? NULL : net_proto_name(proto);
	put_char(l, ' ');
	put_value_name(l, name, "ip-proto-", proto);
	PUT_NUM(l, " ", p.len);
}
