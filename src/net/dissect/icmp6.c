/* SPDX-License-Identifier: MIT */
/* ICMPv6 (RFC 4443), neighbor discovery (RFC 4861), multicast listener discovery (RFC 2710,
 * 3810). */
#include "net/dissect/internal.h"

enum {
	UNREACH = 1,
	TOO_BIG,
	EXCEEDED,
	PARAM,
	ECHO = 128,
	ECHO_REPLY,
	MLD_QUERY,
	MLD_REPORT,
	MLD_DONE,
	RS,
	RA,
	NS,
	NA,
	REDIRECT,
	MLD2_REPORT = 143
};

static const struct value_name type_names[] = {
	{ UNREACH, "destination unreachable" },
	{ TOO_BIG, "packet too big" },
	{ EXCEEDED, "time exceeded in-transit" },
	{ PARAM, "parameter problem" },
	{ ECHO, "echo request" },
	{ ECHO_REPLY, "echo reply" },
	{ MLD_QUERY, "multicast listener query" },
	{ MLD_REPORT, "multicast listener report" },
	{ MLD_DONE, "multicast listener done" },
	{ RS, "router solicitation" },
	{ RA, "router advertisement" },
	{ NS, "neighbor solicitation" },
	{ NA, "neighbor advertisement" },
	{ REDIRECT, "redirect" },
	{ 138, "router renumbering" },
	{ 139, "who-are-you request" },
	{ 140, "who-are-you reply" },
	{ 141, "inverse neighbor solicitation" },
	{ 142, "inverse neighbor advertisement" },
	{ MLD2_REPORT, "multicast listener report v2" },
	{ 144, "dhaad request" },
	{ 145, "dhaad reply" },
	{ 146, "mobile router solicitation" },
	{ 147, "mobile router advertisement" },
	{ 155, "RPL" },
};

/* Shows the destination port of the original datagram. */
static bool put_port_unreachable(struct line *l, struct cursor c, const uint8_t *ip)
{
	const uint8_t *ports = cursor_take(&c, 4);

	if (!ports)
		return false;
	PUT(l, ", unreachable port, ");
	put_ip6(l, ip + 24);
	if (ip[6] == 6 || ip[6] == 17) {
		put_str(l, ip[6] == 6 ? " tcp" : " udp");
		PUT(l, " port ");
		put_port(l, ip[6] == 17, be16_at(ports + 2));
		return true;
	}
	PUT_NUM(l, " protocol ", ip[6]);
	PUT_NUM(l, " port ", be16_at(ports + 2));
	return true;
}

static bool show_unreachable(struct line *l, const uint8_t *h, struct cursor c)
{
	static const char *const codes[] = { ", unreachable route ", ",  unreachable prohibited ",
					     ", beyond scope ", ", unreachable address " };
	const uint8_t *ip = cursor_take(&c, 40);

	if (!ip)
		return false;
	if (h[1] == 4)
		return put_port_unreachable(l, c, ip);
	if (h[1] > 4) {
		PUT_NUM(l, ", unknown unreach code (", h[1]);
		put_char(l, ')');
		return true;
	}
	put_str(l, codes[h[1]]);
	put_ip6(l, ip + 24);
	if (h[1] == 2) {
		PUT(l, ", source address ");
		put_ip6(l, ip + 8);
	}
	return true;
}

static bool show_exceeded(struct line *l, const uint8_t *h, struct cursor c)
{
	const uint8_t *ip = cursor_take(&c, 40);

	if (!ip)
		return false;
	if (h[1] == 0) {
		PUT(l, " for ");
		put_ip6(l, ip + 24);
	} else if (h[1] == 1) {
		PUT(l, " (reassembly)");
	} else {
		PUT_NUM(l, ", unknown code (", h[1]);
		put_char(l, ')');
	}
	return true;
}

static bool show_param_problem(struct line *l, const uint8_t *h, struct cursor c)
{
	static const char *const codes[] = { ", erroneous", ", next header", ", option",
					     ", incomplete header chain" };

	(void)c;
	if (h[1] < ARRAY_LEN(codes)) {
		put_str(l, codes[h[1]]);
		PUT_NUM(l, " - octet ", be32_at(h + 4));
	} else {
		PUT_NUM(l, ", code-#", h[1]);
	}
	return true;
}

static bool show_too_big(struct line *l, const uint8_t *h, struct cursor c)
{
	(void)c;
	PUT_NUM(l, ", mtu ", be32_at(h + 4));
	return true;
}

static bool show_echo(struct line *l, const uint8_t *h, struct cursor c)
{
	(void)c;
	PUT_NUM(l, ", id ", be16_at(h + 4));
	PUT_NUM(l, ", seq ", be16_at(h + 6));
	return true;
}

/* Query, report and done of MLDv1; a longer query is MLDv2. */
static bool show_mld(struct line *l, const uint8_t *h, struct cursor c)
{
	size_t left = c.left;
	const uint8_t *group = cursor_take(&c, 16);

	if (!group)
		return false;
	if (h[0] == MLD_QUERY && left >= 20) {
		PUT(l, " v2");
		if (memcmp(group, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16)) {
			PUT(l, " [gaddr ");
			put_ip6(l, group);
			put_char(l, ']');
		}
		return true;
	}
	PUT_NUM(l, "max resp delay: ", be16_at(h + 4));
	PUT(l, " addr: ");
	put_ip6(l, group);
	return true;
}

static bool show_mld2_report(struct line *l, const uint8_t *h, struct cursor c)
{
	(void)c;
	PUT_NUM(l, ", ", be16_at(h + 6));
	PUT(l, " group record(s)");
	return true;
}

static const struct value_name nd_options[] = {
	{ 1, "source link-address" },
	{ 2, "destination link-address" },
	{ 3, "prefix info" },
	{ 4, "redirected header" },
	{ 5, "mtu" },
	{ 7, "advertisement interval" },
	{ 24, "route info" },
	{ 25, "rdnss" },
	{ 31, "dnssl" },
};

static const struct value_name prefix_flags[] = { { 0x80, "onlink" },
						  { 0x40, "auto" },
						  { 0x20, "router" } };

static void put_nd_data(struct line *l, const uint8_t *o, size_t n)
{
	switch (o[0]) {
	case 1:
	case 2:
		PUT(l, ": ");
		put_mac(l, o + 2);
		break;
	case 3:
		if (n < 32)
			break;
		PUT(l, ": ");
		put_ip6(l, o + 16);
		PUT_NUM(l, "/", o[2]);
		PUT(l, ", Flags [");
		put_bits(l, prefix_flags, ARRAY_LEN(prefix_flags), o[3], ", ");
		PUT_NUM(l, "], valid time ", be32_at(o + 4));
		PUT_NUM(l, "s, pref. time ", be32_at(o + 8));
		put_char(l, 's');
		break;
	case 5:
		PUT_NUM(l, ":  ", be32_at(o + 4));
		break;
	case 25:
	case 31:
		PUT_NUM(l, ":  lifetime ", be32_at(o + 4));
		put_char(l, 's');
		if (o[0] == 31)
			break;
		put_char(l, ',');
		for (size_t at = 8; at + 16 <= n; at += 16) {
			PUT(l, " addr: ");
			put_ip6(l, o + at);
		}
		break;
	}
}

/* With -v: options, whose lengths are multiples of 8 bytes. */
static void put_nd_options(struct line *l, struct cursor c)
{
	while (c.left >= 8) {
		const uint8_t *o = c.at;
		size_t n = o[1] * 8u;

		if (!n || !cursor_take(&c, n)) {
			put_truncated(l, "icmp6");
			return;
		}
		put_char(l, ' ');
		put_value_name(l, VALUE_NAME(nd_options, o[0]), "unknown ", o[0]);
		PUT_NUM(l, " option (", o[0]);
		PUT_NUM(l, "), length ", (uint32_t)n);
		PUT_NUM(l, " (", o[1]);
		put_char(l, ')');
		put_nd_data(l, o, n);
	}
}

static const struct value_name ra_flags[] = {
	{ 0x80, "managed" },
	{ 0x40, "other stateful" },
	{ 0x20, "home agent" },
	{ 0x04, "ND proxy" },
};
static const struct value_name na_flags[] = { { 0x80, "router" },
					      { 0x40, "solicited" },
					      { 0x20, "override" } };

/* Messages with an address after the header. */
static bool show_neighbor(struct line *l, const uint8_t *h, struct cursor c)
{
	const uint8_t *addr = cursor_take(&c, 16);

	if (!addr)
		return false;
	put_str(l, h[0] == NS ? ", who has " : h[0] == NA ? ", tgt is " : ", ");
	if (h[0] == REDIRECT) {
		const uint8_t *dst = cursor_take(&c, 16);

		if (!dst)
			return false;
		put_ip6(l, dst);
		PUT(l, " to ");
	}
	put_ip6(l, addr);
	return true;
}

static const struct {
	uint8_t type;
	bool (*show)(struct line *l, const uint8_t *h, struct cursor c);
} message_types[] = {
	{ NS, show_neighbor },
	{ NA, show_neighbor },
	{ ECHO, show_echo },
	{ ECHO_REPLY, show_echo },
	{ UNREACH, show_unreachable },
	{ TOO_BIG, show_too_big },
	{ EXCEEDED, show_exceeded },
	{ PARAM, show_param_problem },
	{ MLD_QUERY, show_mld },
	{ MLD_REPORT, show_mld },
	{ MLD_DONE, show_mld },
	{ REDIRECT, show_neighbor },
	{ MLD2_REPORT, show_mld2_report },
};

static void put_flags(struct line *l, const struct value_name *flags, size_t n, uint8_t bits)
{
	PUT(l, ", Flags [");
	put_bits(l, flags, n, bits, ", ");
	put_char(l, ']');
}

static void put_router_advert(struct line *l, const uint8_t *h, struct cursor c)
{
	static const char *const prefs[] = { "medium", "high", "reserved", "low" };
	const uint8_t *timers = cursor_take(&c, 8);

	PUT_NUM(l, " hop limit ", h[4]);
	put_flags(l, ra_flags, ARRAY_LEN(ra_flags), h[5]);
	PUT(l, ", pref ");
	put_str(l, prefs[h[5] >> 3 & 3]);
	PUT_NUM(l, ", router lifetime ", be16_at(h + 6));
	put_char(l, 's');
	if (!timers)
		return;
	PUT_NUM(l, ", reachable time ", be32_at(timers));
	PUT_NUM(l, "ms, retrans timer ", be32_at(timers + 4));
	PUT(l, "ms");
}

/* Details of neighbor discovery with -v, after the length. */
static void put_nd_details(struct line *l, const uint8_t *h, struct cursor c)
{
	size_t fixed = h[0] == RS ? 0 : h[0] == RA ? 8 : h[0] == REDIRECT ? 32 : 16;

	if (h[0] == RA) {
		put_router_advert(l, h, c);
	} else if (h[0] == NA) {
		put_flags(l, na_flags, ARRAY_LEN(na_flags), h[4]);
	}
	if (cursor_skip(&c, fixed))
		put_nd_options(l, c);
}

static void put_checksum(struct line *l, const uint8_t *h, const struct pdu *p)
{
	uint16_t sum;

	if (!l->opts->verbose || l->fragment || p->c.left < p->len)
		return;
	sum = compute_pseudo_checksum(l, 58, h, p->len);
	if (!sum) {
		PUT(l, "[icmp6 sum ok] ");
		return;
	}
	PUT(l, "[bad icmp6 cksum 0x");
	put_hex_padded(l, be16_at(h + 2), 4);
	PUT(l, " -> 0x");
	put_hex_padded(l, correct_checksum(sum, be16_at(h + 2)), 4);
	PUT(l, "!] ");
}

void show_icmp6(struct line *l, struct pdu p)
{
	struct cursor c = p.c;
	const uint8_t *h = cursor_take(&c, 8);
	bool discovery;

	if (p.c.left < 4) {
		put_truncated(l, "icmp6");
		return;
	}
	put_checksum(l, p.c.at, &p);
	PUT(l, "ICMP6, ");
	put_value_name(l, VALUE_NAME(type_names, *p.c.at), "type-#", *p.c.at);
	if (!h) {
		put_truncated(l, "icmp6");
		return;
	}
	discovery = h[0] >= RS && h[0] <= REDIRECT;
	if (l->opts->verbose && discovery)
		PUT_LENGTH(l, p.len);
	for (size_t i = 0; i < ARRAY_LEN(message_types); i++)
		if (message_types[i].type == h[0] && !message_types[i].show(l, h, c)) {
			put_truncated(l, "icmp6");
			return;
		}
	if (!l->opts->verbose)
		PUT_LENGTH(l, p.len);
	else if (discovery)
		put_nd_details(l, h, c);
}
