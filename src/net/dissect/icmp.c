/* SPDX-License-Identifier: MIT */
/* ICMP (RFC 792, 950, 1256) and IGMP (RFC 1112, 2236, 3376). */
#include "net/dissect/internal.h"

enum {
	ECHO_REPLY = 0,
	UNREACH = 3,
	QUENCH,
	REDIRECT,
	ECHO = 8,
	ADVERT,
	SOLICIT,
	EXCEEDED,
	PARAM,
	TIMESTAMP,
	TIMESTAMP_REPLY,
	INFO,
	INFO_REPLY,
	MASK,
	MASK_REPLY
};

/* Unreachable messages by code: the text before and after the address. */
static const struct {
	const char *prefix, *suffix;
} unreachable_texts[] = {
	{ "net ", " unreachable" },
	{ "host ", " unreachable" },
	{ 0 }, /* protocol */
	{ 0 }, /* port */
	{ 0 }, /* fragmentation needed */
	{ "", " unreachable - source route failed" },
	{ "net ", " unreachable - unknown" },
	{ "host ", " unreachable - unknown" },
	{ "", " unreachable - source host isolated" },
	{ "net ", " unreachable - admin prohibited" },
	{ "host ", " unreachable - admin prohibited" },
	{ "net ", " unreachable - tos prohibited" },
	{ "host ", " unreachable - tos prohibited" },
	{ "host ", " unreachable - admin prohibited filter" },
	{ "host ", " unreachable - host precedence violation" },
	{ "host ", " unreachable - precedence cutoff" },
};

/* Shows the destination port of the original datagram. Returns false if it is cut off. */
static bool put_port_unreachable(struct line *l, const uint8_t *ip, size_t left)
{
	struct cursor c = cursor_of(ip, left);
	unsigned int hlen = (ip[0] & 15u) * 4;
	const uint8_t *ports;

	if (!cursor_skip(&c, hlen))
		return false;
	ports = cursor_take(&c, 4);
	if (!ports)
		return false;
	put_ip4(l, ip + 16);
	if (ip[9] == 6 || ip[9] == 17) {
		put_str(l, ip[9] == 6 ? " tcp" : " udp");
		PUT(l, " port ");
		put_port(l, ip[9] == 17, be16_at(ports + 2));
	} else {
		PUT_NUM(l, " protocol ", ip[9]);
		PUT_NUM(l, " port ", be16_at(ports + 2));
	}
	PUT(l, " unreachable");
	return true;
}

static bool show_unreachable(struct line *l, const uint8_t *h, struct cursor c)
{
	size_t left = c.left;
	const uint8_t *ip = cursor_take(&c, 20);
	uint8_t code = h[1];

	if (!ip)
		return false;
	if (code < ARRAY_LEN(unreachable_texts) && unreachable_texts[code].prefix) {
		put_str(l, unreachable_texts[code].prefix);
		put_ip4(l, ip + 16);
		put_str(l, unreachable_texts[code].suffix);
		return true;
	}
	if (code == 3)
		return put_port_unreachable(l, ip, left);
	put_ip4(l, ip + 16);
	if (code == 2) {
		PUT_NUM(l, " protocol ", ip[9]);
		PUT(l, " unreachable");
	} else if (code == 4) {
		PUT(l, " unreachable - need to frag");
		if (be16_at(h + 6)) {
			PUT_NUM(l, " (mtu ", be16_at(h + 6));
			put_char(l, ')');
		}
	} else {
		PUT_NUM(l, " unreachable - #", code);
	}
	return true;
}

static bool show_redirect(struct line *l, const uint8_t *h, struct cursor c)
{
	static const char *const prefixes[] = { "redirect ", "redirect ", "redirect-tos ",
						"redirect-tos " };
	static const char *const to[] = { " to net ", " to host " };
	const uint8_t *ip = cursor_take(&c, 20);

	if (!ip)
		return false;
	if (h[1] < 4) {
		put_str(l, prefixes[h[1]]);
	} else {
		PUT_NUM(l, "redirect-#", h[1]);
		put_char(l, ' ');
	}
	put_ip4(l, ip + 16);
	put_str(l, h[1] < 4 ? to[h[1] & 1] : " to ");
	put_ip4(l, h + 4);
	return true;
}

static void put_lifetime(struct line *l, uint32_t s)
{
	if (s >= 3600) {
		put_u32(l, s / 3600);
		put_char(l, ':');
		put_dec_padded(l, s / 60 % 60, 2);
	} else {
		put_u32(l, s / 60);
	}
	put_char(l, ':');
	put_dec_padded(l, s % 60, 2);
}

static bool show_router_advert(struct line *l, const uint8_t *h, struct cursor c)
{
	PUT(l, "router advertisement lifetime ");
	put_lifetime(l, be16_at(h + 6));
	PUT_NUM(l, " ", h[4]);
	put_char(l, ':');
	for (unsigned int i = 0; i < h[4]; i++) {
		const uint8_t *router = cursor_take(&c, 8);

		if (!router)
			return false;
		PUT(l, " {");
		put_ip4(l, router);
		PUT_NUM(l, " ", be32_at(router + 4));
		put_char(l, '}');
	}
	return true;
}

static void put_ms_of_day(struct line *l, const char *what, uint32_t ms)
{
	put_str(l, what);
	put_dec_padded(l, ms / 3600000 % 10000, ms / 3600000 > 99 ? 4 : 2);
	put_char(l, ':');
	put_dec_padded(l, ms / 60000 % 60, 2);
	put_char(l, ':');
	put_dec_padded(l, ms / 1000 % 60, 2);
	put_char(l, '.');
	put_dec_padded(l, ms % 1000, 3);
}

static bool show_timestamp(struct line *l, const uint8_t *h, struct cursor c)
{
	const uint8_t *t;

	put_str(l, h[0] == TIMESTAMP ? "time stamp query" : "time stamp reply");
	PUT_NUM(l, " id ", be16_at(h + 4));
	PUT_NUM(l, " seq ", be16_at(h + 6));
	if (h[0] == TIMESTAMP)
		return true;
	t = cursor_take(&c, 12);
	if (!t)
		return false;
	put_ms_of_day(l, ": org ", be32_at(t));
	put_ms_of_day(l, ", recv ", be32_at(t + 4));
	put_ms_of_day(l, ", xmit ", be32_at(t + 8));
	return true;
}

static bool show_address_mask(struct line *l, const uint8_t *h, struct cursor c)
{
	const uint8_t *mask = cursor_take(&c, 4);

	(void)h;
	if (!mask)
		return false;
	PUT(l, "address mask is 0x");
	put_hex_padded(l, be32_at(mask), 8);
	return true;
}

static bool show_echo(struct line *l, const uint8_t *h, struct cursor c)
{
	(void)c;
	put_str(l, h[0] == ECHO ? "echo request" : "echo reply");
	PUT_NUM(l, ", id ", be16_at(h + 4));
	PUT_NUM(l, ", seq ", be16_at(h + 6));
	return true;
}

static bool show_exceeded(struct line *l, const uint8_t *h, struct cursor c)
{
	(void)c;
	if (h[1] == 0)
		PUT(l, "time exceeded in-transit");
	else if (h[1] == 1)
		PUT(l, "ip reassembly time exceeded");
	else
		PUT_NUM(l, "time exceeded-#", h[1]);
	return true;
}

static bool show_param_problem(struct line *l, const uint8_t *h, struct cursor c)
{
	(void)c;
	if (h[1])
		PUT_NUM(l, "parameter problem - code ", h[1]);
	else
		PUT_NUM(l, "parameter problem - octet ", h[4]);
	return true;
}

/* show() returns false if the message is cut off. */
static const struct {
	uint8_t type;
	bool (*show)(struct line *l, const uint8_t *h, struct cursor c);
	const char *text;
} message_types[] = {
	{ ECHO, show_echo, NULL },
	{ ECHO_REPLY, show_echo, NULL },
	{ UNREACH, show_unreachable, NULL },
	{ EXCEEDED, show_exceeded, NULL },
	{ REDIRECT, show_redirect, NULL },
	{ QUENCH, NULL, "source quench" },
	{ ADVERT, show_router_advert, NULL },
	{ SOLICIT, NULL, "router solicitation" },
	{ PARAM, show_param_problem, NULL },
	{ TIMESTAMP, show_timestamp, NULL },
	{ TIMESTAMP_REPLY, show_timestamp, NULL },
	{ INFO, NULL, "information request" },
	{ INFO_REPLY, NULL, "information reply" },
	{ MASK, NULL, "address mask request" },
	{ MASK_REPLY, show_address_mask, NULL },
};

static bool show_message(struct line *l, const uint8_t *h, struct cursor c)
{
	for (size_t i = 0; i < ARRAY_LEN(message_types); i++) {
		if (message_types[i].type != h[0])
			continue;
		if (message_types[i].show)
			return message_types[i].show(l, h, c);
		put_str(l, message_types[i].text);
		return true;
	}
	PUT_NUM(l, "type-#", h[0]);
	return true;
}

static bool is_error(uint8_t type)
{
	return type == UNREACH || type == EXCEEDED || type == PARAM || type == QUENCH ||
	       type == REDIRECT;
}

/* With -v: a wrong checksum, and the original datagram of an error. */
static void show_verbose(struct line *l, const uint8_t *h, struct pdu p)
{
	if (!l->fragment && p.c.left >= p.len) {
		uint16_t sum = compute_checksum(h, p.len + 8, 0);

		if (sum) {
			PUT(l, " (wrong icmp cksum ");
			put_hex(l, be16_at(h + 2));
			PUT(l, " (->");
			put_hex(l, correct_checksum(sum, be16_at(h + 2)));
			PUT(l, ")!)");
		}
	}
	if (!is_error(h[0]))
		return;
	put_char(l, ' ');
	if (!enter_tunnel(l))
		return;
	/* Errors only include the start of the datagram: that is not truncation. */
	if (p.c.left >= 4 && be16_at(p.c.at + 2) > p.len)
		p.len = be16_at(p.c.at + 2);
	show_ip4(l, p);
}

void show_icmp(struct line *l, struct pdu p)
{
	uint32_t len = p.len;
	const uint8_t *h = cursor_take(&p.c, 8);
	char *from = l->at;

	if (!h) {
		put_truncated(l, "icmp");
		return;
	}
	p = pdu_rest(&p, 8);
	PUT(l, "ICMP ");
	if (!show_message(l, h, p.c)) {
		l->at = from;
		put_truncated(l, "icmp");
		return;
	}
	PUT_LENGTH(l, len);
	if (l->opts->verbose)
		show_verbose(l, h, p);
}

static void put_group(struct line *l, const uint8_t *h)
{
	if (!be32_at(h + 4))
		return;
	PUT(l, " [gaddr ");
	put_ip4(l, h + 4);
	put_char(l, ']');
}

void show_igmp(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 8);

	if (!h) {
		put_truncated(l, "igmp");
		return;
	}
	PUT(l, "igmp");
	switch (h[0]) {
	case 0x11:
		put_str(l, p.len >= 12 ? " query v3" : h[1] ? " query v2" : " query v1");
		put_group(l, h);
		break;
	case 0x12:
	case 0x16:
		put_str(l, h[0] == 0x12 ? " v1 report " : " v2 report ");
		put_ip4(l, h + 4);
		break;
	case 0x17:
		PUT(l, " leave ");
		put_ip4(l, h + 4);
		break;
	case 0x22:
		PUT_NUM(l, " v3 report, ", be16_at(h + 6));
		PUT(l, " group record(s)");
		break;
	default:
		PUT_NUM(l, "-", h[0]);
	}
}
