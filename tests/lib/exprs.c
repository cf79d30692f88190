/* SPDX-License-Identifier: MIT */
/* Random packets and filter expressions that often match each other. */
#include "base/array.h"
#include "tests/lib/exprs.h"
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/lib/draw.h"

enum { NO_LOADS = 9 };

static bool with_ext; /* also draws sonde's extensions, unknown to libpcap */
static uint64_t state;
static uint32_t draw(uint32_t below)
{
	return draw_below(&state, below);
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}

static uint8_t *put_be16(uint8_t *at, uint32_t value)
{
	return put_bytes(at, (uint8_t[]){ (uint8_t)(value >> 8), (uint8_t)value }, 2);
}

/* Few values, so that expressions often match. */
static const uint16_t some_ports[] = { 22, 53, 80, 443, 1024, 8080, 0, 65535 };
static const uint8_t some_protos[] = { 6, 17, 1, 132, 58, 2, 47, 50, 51, 89, 0, 103 };

static uint8_t *put_ipv4_addr(uint8_t *at)
{
	return put_bytes(
		at, (uint8_t[]){ 10, (uint8_t)draw(2), (uint8_t)draw(2), (uint8_t)(1 + draw(3)) },
		4);
}

static uint8_t *put_ipv6_addr(uint8_t *at)
{
	uint8_t bytes[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	if (!draw(6))
		bytes[0] = 0xff;
	bytes[7] = (uint8_t)draw(2);
	bytes[15] = (uint8_t)(1 + draw(3));
	return put_bytes(at, bytes, 16);
}

static uint8_t *put_ports(uint8_t *at)
{
	at = put_be16(at, some_ports[draw(8)]);
	at = put_be16(at, some_ports[draw(8)]);
	for (int i = 0; i < 16 + (int)draw(20); i++)
		*at++ = draw(3) ? (uint8_t)draw(256) : (uint8_t)(1 << draw(8));
	return at;
}

static const char *const some_names[] = { "example.com", "www.example.com", "WWW.Example.COM",
					  "test.org",    "badexample.com",  "com" };

static const char *draw_name(void)
{
	return some_names[draw(ARRAY_LEN(some_names))];
}

static uint8_t *put_labels(uint8_t *at, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");

		*at++ = (uint8_t)len;
		at = put_bytes(at, name, len);
		name += len + (name[len] == '.');
	}
	return at;
}

/* One question, or two of which the second points into the first. */
static uint8_t *put_dns(uint8_t *at)
{
	bool two = draw(2);

	at = put_be16(at, draw(65536));
	at = put_be16(at, draw(2) ? 0x8180 : 0x0100);
	at = put_be16(at, 1u + two);
	at = put_bytes(at, "\0\0\0\0\0", 6);
	at = put_bytes(put_labels(at, draw_name()), "\0\0\1\0\1", 5);
	return two ? put_bytes(put_labels(at, draw(2) ? "www" : "x"), "\xc0\x0c\0\1\0\1", 6) : at;
}

static uint8_t *put_client_hello(uint8_t *at)
{
	const char *name = draw_name();
	uint8_t len = (uint8_t)strlen(name);

	at = put_bytes(at, (uint8_t[]){ 0x16, 3, 1, 0, (uint8_t)(len + 56) }, 5);
	at = put_bytes(at, (uint8_t[]){ 1, 0, 0, (uint8_t)(len + 52), 3, 3 }, 6);
	for (int i = 0; i < 32; i++)
		*at++ = (uint8_t)draw(256);
	at = put_bytes(at, "\0\0\2\x13\1\1\0\0", 8);
	*at++ = (uint8_t)(len + 9);
	at = put_bytes(at,
		       (uint8_t[]){ 0, 0, 0, (uint8_t)(len + 5), 0, (uint8_t)(len + 3), 0, 0, len },
		       9);
	return put_bytes(at, name, len);
}

static const uint16_t dns_ports[] = { 53, 53, 5353, 5355 };

/* A UDP or TCP packet with a DNS or TLS name. Some have a damaged byte. */
static uint8_t *put_named(uint8_t *at, bool tcp)
{
	uint8_t *begin = at, *payload;
	bool tls = tcp && draw(2);

	at = put_be16(at, draw(2) ? some_ports[draw(8)] : dns_ports[draw(4)]);
	at = put_be16(at, tls ? 443 : dns_ports[draw(4)]);
	if (tcp)
		at = put_bytes(put_bytes(at, "\0\0\0\1\0\0\0\1", 8), "\x50\x18\1\0\0\0\0", 8);
	else
		at = put_bytes(at, "\0\0\0", 4);
	payload = at;
	if (tls) {
		at = put_client_hello(at);
	} else if (tcp) {
		at = put_dns(at + 2);
		put_be16(payload, (uint32_t)(at - payload - 2));
	} else {
		at = put_dns(at);
		put_be16(begin + 4, (uint32_t)(at - begin));
	}
	if (!draw(6))
		payload[draw((uint32_t)(at - payload))] ^= (uint8_t)(1 << draw(8));
	return at;
}

static uint8_t *put_segment(uint8_t *at, uint8_t proto)
{
	bool tcp = proto == 6;

	return (tcp || proto == 17) && !draw(3) ? put_named(at, tcp) : put_ports(at);
}

static uint8_t *put_ipv4(uint8_t *at)
{
	unsigned int words = draw(5) ? 5 : 5 + draw(4);
	uint8_t proto;

	*at++ = (uint8_t)(0x40 | words);
	*at++ = (uint8_t)draw(4);
	at = put_be16(at, 60);
	at = put_be16(at, draw(65536));
	at = put_be16(at, draw(4) ? (draw(2) ? 0x4000 : 0) : draw(2) ? 0x2000 : 0x2010);
	*at++ = 64;
	*at++ = proto = some_protos[draw(draw(3) ? 3 : 12)];
	at = put_be16(at, draw(65536));
	at = put_ipv4_addr(at);
	if (draw(8))
		at = put_ipv4_addr(at);
	else
		at = put_bytes(at, (uint8_t[]){ 224, 0, 0, 1 }, 4);
	for (unsigned int i = 5; i < words; i++)
		at = put_bytes(at, "\1\1\1\1", 4);
	return put_segment(at, proto);
}

static uint8_t *put_ipv6(uint8_t *at)
{
	uint8_t proto;

	at = put_bytes(at, "\x60\0\0\0", 4);
	at = put_be16(at, 40);
	proto = some_protos[draw(draw(3) ? 3 : 10)];
	*at++ = proto ? proto : 58;
	*at++ = 64;
	at = put_ipv6_addr(at);
	at = put_ipv6_addr(at);
	return put_segment(at, proto);
}

static uint8_t *put_arp(uint8_t *at)
{
	at = put_bytes(at, "\0\1\x08\0\6\4\0\1", 8);
	at = put_bytes(at, "\2\0\0\0\0\1", 6);
	at = put_ipv4_addr(at);
	at = put_bytes(at, "\0\0\0\0\0\0", 6);
	return put_ipv4_addr(at);
}

void exprs_draw_packet(struct exprs_packet *p)
{
	uint8_t *at = p->data;
	uint32_t kind = draw(16), len, cut;

	at = draw(6) ? put_bytes(at, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)(1 + draw(3)) }, 6)
		     : put_bytes(at, draw(2) ? "\xff\xff\xff\xff\xff\xff" : "\1\0\x5e\0\0\1", 6);
	at = put_bytes(at, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)(1 + draw(3)) }, 6);
	if (kind < 8)
		at = put_ipv4(put_be16(at, 0x0800));
	else if (kind < 13)
		at = put_ipv6(put_be16(at, 0x86dd));
	else if (kind < 15)
		at = put_arp(put_be16(at, draw(4) ? 0x0806 : 0x8035));
	else
		at = put_ports(put_be16(at, draw(2) ? 0x88cc : 0x6003));
	len = (uint32_t)(at - p->data);
	/* Headers stay complete: see differs() in tests/peers/filter.c. */
	cut = draw(6) || len < 59 ? len : 59 + draw(len - 58);
	p->frame = (struct frame){
		.data = p->data, .caplen = cut, .len = len, .link = FRAME_ETHERNET
	};
	view_frame(p->views, &p->frame);
}

/* An expression that is being built. */
struct expr {
	char *at;
	size_t room, len;
};

static void add_text(struct expr *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add_text(struct expr *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->len += (size_t)vsnprintf(t->at + t->len, t->room - t->len, fmt, ap);
	va_end(ap);
	if (t->len >= t->room)
		t->len = t->room - 1;
}

static const char *pick_word(const char *const *words, uint32_t n)
{
	return words[draw(n)];
}
#define PICK(...)                                       \
	pick_word((const char *const[]){ __VA_ARGS__ }, \
		  sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static void add_address(struct expr *t)
{
	if (draw(3))
		add_text(t, "10.%u.%u.%u", draw(2), draw(2), 1 + draw(3));
	else
		add_text(t, "2001:db8:0:%u::%u", draw(2), 1 + draw(3));
}

static void add_number(struct expr *t, int depth)
{
	uint32_t what = draw(depth > 2 ? 2 : 6);

	if (what == 0)
		add_text(t, "%u", draw(3) ? draw(260) : draw(70000));
	else if (what == 1)
		add_text(t, "%s", PICK("len", "0x10", "tcp-syn", "icmp-echo"));
	else if (what <= 3) {
		add_text(t, "%s[", PICK("ip", "ether", "arp", "ip6", "tcp", "udp", "icmp", "tcp"));
		if (draw(4))
			add_text(t, "%s%u", draw(8) ? "" : "1 + ", draw(24));
		else
			add_number(t, depth + 1);
		add_text(t, "%s]", PICK("", ":1", ":2", ":4"));
	} else {
		add_text(t, "(");
		add_number(t, depth + 1);
		add_text(t, " %s ", PICK("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"));
		/* libpcap does not check the headers of the right operand. */
		add_number(t, NO_LOADS);
		add_text(t, ")");
	}
}

static void ext_primitive(struct expr *t, const char *dir)
{
	if (draw(2)) {
		add_text(t, "%s %s", PICK("dns", "sni"), draw_name());
		return;
	}
	if (!draw(8)) {
		add_text(t, "%s%s", dir, PICK("net 0.0.0.0/0", "net ::/0"));
		return;
	}
	add_text(t, "%s%sset %s", PICK("", "", "", "ip ", "ip6 ", "arp "), dir,
		 PICK("few", "ipv4", "ipv6", "none", "all"));
}

static void add_primitive(struct expr *t)
{
	const char *dir = PICK("", "", "src ", "dst ", "src or dst ", "src and dst ");

	if (with_ext && !draw(3)) {
		ext_primitive(t, dir);
		return;
	}
	switch (draw(14)) {
	case 0:
	case 1:
		add_text(t, "%shost ", dir);
		add_address(t);
		break;
	case 2:
		add_text(t, "%snet 10.%u.0.0/%u", dir, draw(2), 16 + draw(3));
		break;
	case 3:
		add_text(t, "%s%sport %u", PICK("", "tcp ", "udp ", "sctp "), dir,
			 some_ports[draw(8)]);
		break;
	case 4:
		add_text(t, "%s%sportrange %u-%u", PICK("", "tcp ", "udp "), dir, draw(500),
			 400 + draw(9000));
		break;
	case 5:
	case 6:
		add_text(t, "%s",
			 PICK("ip", "ip6", "arp", "rarp", "tcp", "udp", "icmp", "icmp6", "sctp",
			      "igmp", "ah", "esp", "pim"));
		break;
	case 7:
		add_text(t, "%s %s", PICK("ip proto", "ip6 proto", "proto"),
			 PICK("6", "17", "\\tcp", "\\icmp", "132", "89"));
		break;
	case 8:
		add_text(t, "ether %s 02:00:00:00:00:0%u", PICK("host", "src", "dst"), 1 + draw(3));
		break;
	case 9:
		add_text(t, "%s",
			 PICK("broadcast", "multicast", "ip multicast", "ip6 multicast",
			      "ether multicast", "ether proto 0x88cc", "ether proto \\arp"));
		break;
	case 10:
		add_text(t, "%s %u", PICK("less", "greater"), 40 + draw(60));
		break;
	case 11:
		add_text(t, "%s%shost 10.0.%u.1", PICK("ip ", "arp ", "rarp "), dir, draw(2));
		break;
	default:
		add_number(t, 0);
		add_text(t, " %s ", PICK("=", "!=", ">", "<", ">=", "<=", "=="));
		add_number(t, 1);
	}
}

static void add_expression(struct expr *t, int depth)
{
	uint32_t what = depth > 4 ? 0 : draw(6);

	if (what < 2) {
		add_primitive(t);
	} else if (what == 2) {
		add_text(t, "%s", PICK("not ", "! "));
		add_text(t, "(");
		add_expression(t, depth + 1);
		add_text(t, ")");
	} else if (what == 3) {
		add_text(t, "port %u %s %u %s host 10.0.0.1 or 10.0.0.2", some_ports[draw(8)],
			 PICK("or", "and"), some_ports[draw(8)], PICK("or", "and", "&&", "||"));
	} else {
		bool parens = draw(2);

		add_text(t, "%s", parens ? "(" : "");
		add_expression(t, depth + 1);
		add_text(t, " %s ", PICK("and", "or", "&&", "||"));
		add_expression(t, depth + 1);
		add_text(t, "%s", parens ? ")" : "");
	}
}

void exprs_draw_text(char *text, size_t room)
{
	struct expr t = { text, room, 0 };

	add_expression(&t, 0);
}

void exprs_draw_ext_text(char *text, size_t room)
{
	with_ext = true;
	exprs_draw_text(text, room);
	with_ext = false;
}

static int set_text(void *arg, const char *file, struct buf *text, struct diag *why)
{
	static const char *const sets[][2] = {
		{ "few", "10.0.0.1\n10.0.1.0/30\n10.1.0.0/16\n2001:db8:0:1::/64\n2001:db8::1" },
		{ "ipv4", "10.0.0.0/31\n10.0.0.3\n224.0.0.0/4" },
		{ "ipv6", "ff00::/8\n2001:db8::2\n2001:db8:0:1::3" },
		{ "none", "# nobody" },
		{ "all", "::/0\n0.0.0.0/0" },
	};

	(void)arg;
	(void)why;
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		if (!strcmp(sets[i][0], file)) {
			buf_str(text, sets[i][1]);
			return 0;
		}
	return -ENOENT;
}

const struct filter_names exprs_names = { .set = set_text };

void exprs_seed(uint64_t seed)
{
	state = seed;
}
