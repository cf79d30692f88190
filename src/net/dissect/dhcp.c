/* SPDX-License-Identifier: MIT */
/* DHCP (RFC 2131, 2132) and DHCPv6 (RFC 8415); with -v, their options. */
#include "net/dissect/internal.h"

enum { FIXED_LEN = 236, OPTIONS_MAX = 64 };

static const struct value_name messages[] = {
	{ 1, "Discover" }, { 2, "Offer" }, { 3, "Request" }, { 4, "Decline" },
	{ 5, "ACK" },      { 6, "NACK" },  { 7, "Release" }, { 8, "Inform" },
};

static void put_addresses(struct line *l, const char *what, const uint8_t *p, size_t n)
{
	put_str(l, what);
	for (size_t at = 0; at + 4 <= n; at += 4) {
		put_char(l, at ? ',' : ' ');
		put_ip4(l, p + at);
	}
}

static void put_option(struct line *l, uint8_t kind, const uint8_t *p, size_t n)
{
	static const struct value_name addresses[] = {
		{ 1, ", mask" },       { 3, ", router" },  { 6, ", dns" },
		{ 50, ", requested" }, { 54, ", server" },
	};
	const char *name = VALUE_NAME(addresses, kind);

	if (name) {
		put_addresses(l, name, p, n);
	} else if (kind == 53 && n == 1) {
		PUT(l, ", ");
		put_value_name(l, VALUE_NAME(messages, p[0]), "message ", p[0]);
	} else if (kind == 12 || kind == 15) {
		put_str(l, kind == 12 ? ", hostname \"" : ", domain \"");
		put_escaped(l, p, n);
		put_char(l, '"');
	} else if (kind == 51 && n == 4) {
		PUT_NUM(l, ", lease ", be32_at(p));
		put_char(l, 's');
	}
}

static void put_options(struct line *l, struct cursor c)
{
	const uint8_t *magic = cursor_take(&c, 4);

	if (!magic || memcmp(magic, "\x63\x82\x53\x63", 4))
		return;
	for (int i = 0; c.left && i < OPTIONS_MAX; i++) {
		uint8_t kind = cursor_u8(&c), len;
		const uint8_t *data;

		if (kind == 0)
			continue;
		if (kind == 255)
			return;
		len = cursor_u8(&c);
		data = cursor_take(&c, len);
		if (!data) {
			put_truncated(l, "bootp");
			return;
		}
		put_option(l, kind, data, len);
	}
}

static void put_fixed_fields(struct line *l, const uint8_t *h)
{
	static const struct value_name fields[] = {
		{ 12, ", Client-IP " },
		{ 16, ", Your-IP " },
		{ 20, ", Server-IP " },
		{ 24, ", Gateway-IP " },
	};

	PUT(l, ", xid 0x");
	put_hex(l, be32_at(h + 4));
	if (be16_at(h + 8))
		PUT_NUM(l, ", secs ", be16_at(h + 8));
	if (h[10] & 0x80)
		PUT(l, ", Broadcast");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (!be32_at(h + fields[i].value))
			continue;
		put_str(l, fields[i].name);
		put_ip4(l, h + fields[i].value);
	}
}

void show_dhcp(struct line *l, struct pdu p)
{
	struct cursor c = p.c;
	const uint8_t *h = cursor_take(&c, 2);

	PUT(l, "BOOTP/DHCP");
	if (!h) {
		put_truncated(l, "bootp");
		return;
	}
	PUT(l, ", ");
	if (h[0] == 1) {
		PUT(l, "Request");
	} else if (h[0] == 2) {
		PUT(l, "Reply");
	} else {
		PUT(l, "unknown (0x");
		put_hex_padded(l, h[0], 2);
		put_char(l, ')');
	}
	if (h[0] == 1 && h[1] == 1) {
		c = p.c;
		if (!cursor_take(&c, 34)) {
			put_truncated(l, "bootp");
			return;
		}
		PUT(l, " from ");
		put_mac(l, h + 28);
	}
	PUT_LENGTH(l, p.len);
	c = p.c;
	if (!l->opts->verbose || !cursor_take(&c, FIXED_LEN))
		return;
	put_fixed_fields(l, h);
	put_options(l, c);
}

static const struct value_name messages6[] = {
	{ 1, "solicit" },      { 2, "advertise" },    { 3, "request" },  { 4, "confirm" },
	{ 5, "renew" },        { 6, "rebind" },       { 7, "reply" },    { 8, "release" },
	{ 9, "decline" },      { 10, "reconfigure" }, { 11, "inf-req" }, { 12, "relay-fwd" },
	{ 13, "relay-reply" },
};
static const struct value_name options6[] = {
	{ 1, "client-ID" },     { 2, "server-ID" },        { 3, "IA_NA" },
	{ 4, "IA_TA" },         { 5, "IA_ADDR" },          { 6, "option-request" },
	{ 7, "preference" },    { 8, "elapsed-time" },     { 9, "relay-message" },
	{ 13, "status-code" },  { 14, "rapid-commit" },    { 16, "vendor-class" },
	{ 23, "DNS-server" },   { 24, "DNS-search-list" }, { 25, "IA_PD" },
	{ 26, "IA_PD-prefix" }, { 39, "client-FQDN" },
};

static void put_options6(struct line *l, struct cursor c)
{
	for (int i = 0; c.left && i < OPTIONS_MAX; i++) {
		const uint8_t *o = cursor_take(&c, 4);

		if (!o || !cursor_skip(&c, be16_at(o + 2))) {
			put_truncated(l, "dhcp6");
			return;
		}
		PUT(l, " (");
		put_value_name(l, VALUE_NAME(options6, be16_at(o)), "opt_", be16_at(o));
		put_char(l, ')');
	}
}

void show_dhcp6(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 4);

	PUT(l, "dhcp6");
	if (!h) {
		put_truncated(l, "dhcp6");
		return;
	}
	put_char(l, ' ');
	put_value_name(l, VALUE_NAME(messages6, h[0]), "msgtype-", h[0]);
	if (!l->opts->verbose || h[0] == 12 || h[0] == 13)
		return;
	PUT(l, " (xid=");
	put_hex(l, be32_at(h) & 0xffffff);
	put_options6(l, p.c);
	put_char(l, ')');
}
