/* SPDX-License-Identifier: MIT */
/* Random packets and filter expressions that often hit each other. */
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

static bool own; /* words that libpcap does not know, too */
static uint64_t state;
static uint32_t draw(uint32_t below)
{
	return draw_below(&state, below);
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}

static uint8_t *be16(uint8_t *at, uint32_t value)
{
	return put(at, (uint8_t[]){ (uint8_t)(value >> 8), (uint8_t)value }, 2);
}

/* Few values, so that expressions often hit. */
static const uint16_t some_ports[] = { 22, 53, 80, 443, 1024, 8080, 0, 65535 };
static const uint8_t some_protos[] = { 6, 17, 1, 132, 58, 2, 47, 50, 51, 89, 0, 103 };

static uint8_t *ipv4_address(uint8_t *at)
{
	return put(at,
		   (uint8_t[]){ 10, (uint8_t)draw(2), (uint8_t)draw(2), (uint8_t)(1 + draw(3)) },
		   4);
}

static uint8_t *ipv6_address(uint8_t *at)
{
	uint8_t bytes[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	if (!draw(6))
		bytes[0] = 0xff;
	bytes[7] = (uint8_t)draw(2);
	bytes[15] = (uint8_t)(1 + draw(3));
	return put(at, bytes, 16);
}

static uint8_t *transport(uint8_t *at)
{
	at = be16(at, some_ports[draw(8)]);
	at = be16(at, some_ports[draw(8)]);
	for (int i = 0; i < 16 + (int)draw(20); i++)
		*at++ = draw(3) ? (uint8_t)draw(256) : (uint8_t)(1 << draw(8));
	return at;
}

static const char *const some_names[] = { "example.com", "www.example.com", "WWW.Example.COM",
					  "test.org",    "badexample.com",  "com" };

static const char *a_name(void)
{
	return some_names[draw(ARRAY_LEN(some_names))];
}

static uint8_t *labels(uint8_t *at, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");

		*at++ = (uint8_t)len;
		at = put(at, name, len);
		name += len + (name[len] == '.');
	}
	return at;
}

/* A question, or two of which the other points into the first. */
static uint8_t *dns(uint8_t *at)
{
	bool two = draw(2);

	at = be16(at, draw(65536));
	at = be16(at, draw(2) ? 0x8180 : 0x0100);
	at = be16(at, 1u + two);
	at = put(at, "\0\0\0\0\0", 6);
	at = put(labels(at, a_name()), "\0\0\1\0\1", 5);
	return two ? put(labels(at, draw(2) ? "www" : "x"), "\xc0\x0c\0\1\0\1", 6) : at;
}

static uint8_t *client_hello(uint8_t *at)
{
	const char *name = a_name();
	uint8_t len = (uint8_t)strlen(name);

	at = put(at, (uint8_t[]){ 0x16, 3, 1, 0, (uint8_t)(len + 56) }, 5);
	at = put(at, (uint8_t[]){ 1, 0, 0, (uint8_t)(len + 52), 3, 3 }, 6);
	for (int i = 0; i < 32; i++)
		*at++ = (uint8_t)draw(256);
	at = put(at, "\0\0\2\x13\1\1\0\0", 8);
	*at++ = (uint8_t)(len + 9);
	at = put(at, (uint8_t[]){ 0, 0, 0, (uint8_t)(len + 5), 0, (uint8_t)(len + 3), 0, 0, len },
		 9);
	return put(at, name, len);
}

static const uint16_t dns_ports[] = { 53, 53, 5353, 5355 };

/* What names something, in UDP or TCP; now and then a byte of it is wrong. */
static uint8_t *naming(uint8_t *at, bool tcp)
{
	uint8_t *begin = at, *payload;
	bool tls = tcp && draw(2);

	at = be16(at, draw(2) ? some_ports[draw(8)] : dns_ports[draw(4)]);
	at = be16(at, tls ? 443 : dns_ports[draw(4)]);
	if (tcp)
		at = put(put(at, "\0\0\0\1\0\0\0\1", 8), "\x50\x18\1\0\0\0\0", 8);
	else
		at = put(at, "\0\0\0", 4);
	payload = at;
	if (tls) {
		at = client_hello(at);
	} else if (tcp) {
		at = dns(at + 2);
		be16(payload, (uint32_t)(at - payload - 2));
	} else {
		at = dns(at);
		be16(begin + 4, (uint32_t)(at - begin));
	}
	if (!draw(6))
		payload[draw((uint32_t)(at - payload))] ^= (uint8_t)(1 << draw(8));
	return at;
}

static uint8_t *segment(uint8_t *at, uint8_t proto)
{
	bool tcp = proto == 6;

	return (tcp || proto == 17) && !draw(3) ? naming(at, tcp) : transport(at);
}

static uint8_t *ipv4(uint8_t *at)
{
	unsigned int words = draw(5) ? 5 : 5 + draw(4);
	uint8_t proto;

	*at++ = (uint8_t)(0x40 | words);
	*at++ = (uint8_t)draw(4);
	at = be16(at, 60);
	at = be16(at, draw(65536));
	at = be16(at, draw(4) ? (draw(2) ? 0x4000 : 0) : draw(2) ? 0x2000 : 0x2010);
	*at++ = 64;
	*at++ = proto = some_protos[draw(draw(3) ? 3 : 12)];
	at = be16(at, draw(65536));
	at = ipv4_address(at);
	if (draw(8))
		at = ipv4_address(at);
	else
		at = put(at, (uint8_t[]){ 224, 0, 0, 1 }, 4);
	for (unsigned int i = 5; i < words; i++)
		at = put(at, "\1\1\1\1", 4);
	return segment(at, proto);
}

static uint8_t *ipv6(uint8_t *at)
{
	uint8_t proto;

	at = put(at, "\x60\0\0\0", 4);
	at = be16(at, 40);
	proto = some_protos[draw(draw(3) ? 3 : 10)];
	*at++ = proto ? proto : 58;
	*at++ = 64;
	at = ipv6_address(at);
	at = ipv6_address(at);
	return segment(at, proto);
}

static uint8_t *arp(uint8_t *at)
{
	at = put(at, "\0\1\x08\0\6\4\0\1", 8);
	at = put(at, "\2\0\0\0\0\1", 6);
	at = ipv4_address(at);
	at = put(at, "\0\0\0\0\0\0", 6);
	return ipv4_address(at);
}

void exprs_packet(struct exprs_packet *p)
{
	uint8_t *at = p->data;
	uint32_t kind = draw(16), len, cut;

	at = draw(6) ? put(at, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)(1 + draw(3)) }, 6)
		     : put(at, draw(2) ? "\xff\xff\xff\xff\xff\xff" : "\1\0\x5e\0\0\1", 6);
	at = put(at, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)(1 + draw(3)) }, 6);
	if (kind < 8)
		at = ipv4(be16(at, 0x0800));
	else if (kind < 13)
		at = ipv6(be16(at, 0x86dd));
	else if (kind < 15)
		at = arp(be16(at, draw(4) ? 0x0806 : 0x8035));
	else
		at = transport(be16(at, draw(2) ? 0x88cc : 0x6003));
	len = (uint32_t)(at - p->data);
	cut = draw(6) || len < 59 ? len : 59 + draw(len - 58); /* headers whole: see differs() */
	p->frame = (struct frame){
		.data = p->data, .caplen = cut, .len = len, .link = FRAME_ETHERNET
	};
	view_frame(p->views, &p->frame);
}

/* An expression, appended to. */
struct text {
	char *at;
	size_t room, len;
};

static void say(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->len += (size_t)vsnprintf(t->at + t->len, t->room - t->len, fmt, ap);
	va_end(ap);
	if (t->len >= t->room)
		t->len = t->room - 1;
}

static const char *pick(const char *const *words, uint32_t n)
{
	return words[draw(n)];
}
#define PICK(...)                                  \
	pick((const char *const[]){ __VA_ARGS__ }, \
	     sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

static void say_address(struct text *t)
{
	if (draw(3))
		say(t, "10.%u.%u.%u", draw(2), draw(2), 1 + draw(3));
	else
		say(t, "2001:db8:0:%u::%u", draw(2), 1 + draw(3));
}

static void number_of(struct text *t, int depth)
{
	uint32_t what = draw(depth > 2 ? 2 : 6);

	if (what == 0)
		say(t, "%u", draw(3) ? draw(260) : draw(70000));
	else if (what == 1)
		say(t, "%s", PICK("len", "0x10", "tcp-syn", "icmp-echo"));
	else if (what <= 3) {
		say(t, "%s[", PICK("ip", "ether", "arp", "ip6", "tcp", "udp", "icmp", "tcp"));
		if (draw(4))
			say(t, "%s%u", draw(8) ? "" : "1 + ", draw(24));
		else
			number_of(t, depth + 1);
		say(t, "%s]", PICK("", ":1", ":2", ":4"));
	} else {
		say(t, "(");
		number_of(t, depth + 1);
		say(t, " %s ", PICK("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"));
		number_of(t, NO_LOADS); /* libpcap forgets to ask for the right side's headers */
		say(t, ")");
	}
}

static void ext_primitive(struct text *t, const char *dir)
{
	if (draw(2)) {
		say(t, "%s %s", PICK("dns", "sni"), a_name());
		return;
	}
	if (!draw(8)) {
		say(t, "%s%s", dir, PICK("net 0.0.0.0/0", "net ::/0"));
		return;
	}
	say(t, "%s%sset %s", PICK("", "", "", "ip ", "ip6 ", "arp "), dir,
	    PICK("few", "ipv4", "ipv6", "none", "all"));
}

static void primitive(struct text *t)
{
	const char *dir = PICK("", "", "src ", "dst ", "src or dst ", "src and dst ");

	if (own && !draw(3)) {
		ext_primitive(t, dir);
		return;
	}
	switch (draw(14)) {
	case 0:
	case 1:
		say(t, "%shost ", dir);
		say_address(t);
		break;
	case 2:
		say(t, "%snet 10.%u.0.0/%u", dir, draw(2), 16 + draw(3));
		break;
	case 3:
		say(t, "%s%sport %u", PICK("", "tcp ", "udp ", "sctp "), dir, some_ports[draw(8)]);
		break;
	case 4:
		say(t, "%s%sportrange %u-%u", PICK("", "tcp ", "udp "), dir, draw(500),
		    400 + draw(9000));
		break;
	case 5:
	case 6:
		say(t, "%s",
		    PICK("ip", "ip6", "arp", "rarp", "tcp", "udp", "icmp", "icmp6", "sctp", "igmp",
			 "ah", "esp", "pim"));
		break;
	case 7:
		say(t, "%s %s", PICK("ip proto", "ip6 proto", "proto"),
		    PICK("6", "17", "\\tcp", "\\icmp", "132", "89"));
		break;
	case 8:
		say(t, "ether %s 02:00:00:00:00:0%u", PICK("host", "src", "dst"), 1 + draw(3));
		break;
	case 9:
		say(t, "%s",
		    PICK("broadcast", "multicast", "ip multicast", "ip6 multicast",
			 "ether multicast", "ether proto 0x88cc", "ether proto \\arp"));
		break;
	case 10:
		say(t, "%s %u", PICK("less", "greater"), 40 + draw(60));
		break;
	case 11:
		say(t, "%s%shost 10.0.%u.1", PICK("ip ", "arp ", "rarp "), dir, draw(2));
		break;
	default:
		number_of(t, 0);
		say(t, " %s ", PICK("=", "!=", ">", "<", ">=", "<=", "=="));
		number_of(t, 1);
	}
}

static void expression(struct text *t, int depth)
{
	uint32_t what = depth > 4 ? 0 : draw(6);

	if (what < 2) {
		primitive(t);
	} else if (what == 2) {
		say(t, "%s", PICK("not ", "! "));
		say(t, "(");
		expression(t, depth + 1);
		say(t, ")");
	} else if (what == 3) {
		say(t, "port %u %s %u %s host 10.0.0.1 or 10.0.0.2", some_ports[draw(8)],
		    PICK("or", "and"), some_ports[draw(8)], PICK("or", "and", "&&", "||"));
	} else {
		bool parens = draw(2);

		say(t, "%s", parens ? "(" : "");
		expression(t, depth + 1);
		say(t, " %s ", PICK("and", "or", "&&", "||"));
		expression(t, depth + 1);
		say(t, "%s", parens ? ")" : "");
	}
}

void exprs_text(char *text, size_t room)
{
	struct text t = { text, room, 0 };

	expression(&t, 0);
}

void exprs_own_text(char *text, size_t room)
{
	own = true;
	exprs_text(text, room);
	own = false;
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
