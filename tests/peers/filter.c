/* SPDX-License-Identifier: MIT */
/* The filter language beside libpcap's: the same expressions on the same packets, the same answers.
 * usage: filter [EXPRESSIONS [SEED]] */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "filter/filter.h"
#include "filter/view.h"

enum { NO_LOADS = 9, PACKETS = 600, FRAME_MAX = 256, TEXT_MAX = 2000 };

static struct {
	uint8_t data[FRAME_MAX];
	struct frame frame;
	struct view views[VIEW_LAYERS];
} packets[PACKETS];

static uint64_t state;

/* xorshift64 */
static uint32_t draw(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % below;
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

static uint8_t *ipv4(uint8_t *at)
{
	unsigned int words = draw(5) ? 5 : 5 + draw(4);

	*at++ = (uint8_t)(0x40 | words);
	*at++ = (uint8_t)draw(4);
	at = be16(at, 60);
	at = be16(at, draw(65536));
	at = be16(at, draw(4) ? (draw(2) ? 0x4000 : 0) : draw(2) ? 0x2000 : 0x2010);
	*at++ = 64;
	*at++ = some_protos[draw(draw(3) ? 3 : 12)];
	at = be16(at, draw(65536));
	at = ipv4_address(at);
	if (draw(8))
		at = ipv4_address(at);
	else
		at = put(at, (uint8_t[]){ 224, 0, 0, 1 }, 4);
	for (unsigned int i = 5; i < words; i++)
		at = put(at, "\1\1\1\1", 4);
	return transport(at);
}

static uint8_t *ipv6(uint8_t *at)
{
	at = put(at, "\x60\0\0\0", 4);
	at = be16(at, 40);
	*at++ = some_protos[draw(draw(3) ? 3 : 10)];
	if (!at[-1])
		at[-1] = 58;
	*at++ = 64;
	at = ipv6_address(at);
	at = ipv6_address(at);
	return transport(at);
}

static uint8_t *arp(uint8_t *at)
{
	at = put(at, "\0\1\x08\0\6\4\0\1", 8);
	at = put(at, "\2\0\0\0\0\1", 6);
	at = ipv4_address(at);
	at = put(at, "\0\0\0\0\0\0", 6);
	return ipv4_address(at);
}

static void make_packet(int i)
{
	uint8_t *at = packets[i].data;
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
	len = (uint32_t)(at - packets[i].data);
	cut = draw(6) || len < 59 ? len : 59 + draw(len - 58); /* headers whole: see differs() */
	packets[i].frame = (struct frame){
		.data = packets[i].data, .caplen = cut, .len = len, .link = FRAME_ETHERNET
	};
	view_frame(packets[i].views, &packets[i].frame);
}

/* An expression, appended to text. */
struct text {
	char at[TEXT_MAX];
	size_t len;
};

static void say(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->len += (size_t)vsnprintf(t->at + t->len, sizeof(t->at) - t->len, fmt, ap);
	va_end(ap);
	if (t->len >= sizeof(t->at))
		t->len = sizeof(t->at) - 1;
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

static void primitive(struct text *t)
{
	const char *dir = PICK("", "", "src ", "dst ", "src or dst ", "src and dst ");

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

/* libpcap looks for transport bytes behind IPv4 only: a difference on purpose. */
static bool differs(const char *text, const struct view *v)
{
	return v->family == 6 &&
	       (strstr(text, "tcp[") || strstr(text, "udp[") || strstr(text, "icmp["));
}

static int compare(pcap_t *pcap, const char *text, unsigned long *judged, unsigned long *yes)
{
	struct filter_diag diag = { 0 };
	struct bpf_program program;
	struct filter f = { 0 };
	int theirs = pcap_compile(pcap, &program, text, 0, PCAP_NETMASK_UNKNOWN);
	int ours = filter_parse(&f, text, NULL, &diag), wrong = 0;

	if (theirs && ours)
		return 0;
	/* Constants that make no sense are refused there when they are folded. */
	if (theirs) {
		filter_close(&f);
		return strstr(pcap_geterr(pcap), "rejects all") ||
				       strstr(pcap_geterr(pcap), "zero") ||
				       strstr(pcap_geterr(pcap), "shift")
			       ? 0
			       : (printf("FAIL '%s': refused by libpcap only: %s\n", text,
					 pcap_geterr(pcap)),
				  1);
	}
	if (ours) {
		printf("FAIL '%s': refused at %zu: %s\n", text, diag.pos, diag.msg);
		pcap_freecode(&program);
		return 1;
	}
	for (int i = 0; i < PACKETS && !wrong; i++) {
		const struct frame *fr = &packets[i].frame;
		struct pcap_pkthdr h = { .caplen = fr->caplen, .len = fr->len };
		struct filter_packet p = { packets[i].views, fr->data, fr->caplen };
		bool a, b;

		if (differs(text, packets[i].views))
			continue;
		a = pcap_offline_filter(&program, &h, fr->data) != 0;
		b = filter_match(&f, &p);
		(*judged)++;
		*yes += b;
		if (a == b)
			continue;
		printf("FAIL '%s': libpcap says %d, packet %d of %u (%u) bytes:", text, a, i,
		       fr->caplen, fr->len);
		for (uint32_t k = 0; k < fr->caplen; k++)
			printf("%s%02x", k % 4 ? "" : " ", fr->data[k]);
		printf("\n");
		wrong = 1;
	}
	pcap_freecode(&program);
	filter_close(&f);
	return wrong;
}

int main(int argc, char **argv)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
	int n = argc > 1 ? atoi(argv[1]) : 2000, failed = 0;
	unsigned long judged = 0, yes = 0;

	if (argc > 1 && !n) {
		for (int i = 0; i < PACKETS; i++)
			state = 88172645463325252ull + (uint64_t)i * 977, draw(2), make_packet(i);
		for (int i = 1; i < argc; i++)
			failed += compare(pcap, argv[i], &judged, &yes);
		printf("%lu judged, %lu yes\n", judged, yes);
		return failed != 0;
	}
	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 88172645463325252ull;
	for (int i = 0; i < PACKETS; i++)
		make_packet(i);
	for (int i = 0; i < n && failed < 10; i++) {
		struct text t = { .len = 0 };

		expression(&t, 0);
		failed += compare(pcap, t.at, &judged, &yes);
	}
	pcap_close(pcap);
	printf("%lu judged alike, %lu matched\n", judged, yes);
	printf("%d passed, %d failed, 0 skipped\n", failed ? 0 : 1, failed);
	return failed != 0;
}
