/* SPDX-License-Identifier: MIT */
/* Builds a packet from words: the headers that rules examine, without a payload. */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/err.h"
#include "cmd/filter/filter.h"
#include "net/proto.h"

struct end {
	int family;
	uint8_t addr[16];
	uint16_t port;
};

/* Parses "192.0.2.1:80" or "[2001:db8::1]:80"; the port is optional. */
static int parse_end(const char *word, struct end *e)
{
	char text[64];
	const char *port = NULL;
	uint32_t number = 0;

	if (strlen(word) >= sizeof(text))
		return fail_usage("%s is not an IPv4 or IPv6 address", word);
	strcpy(text, word);
	if (*text == '[') {
		char *close = strchr(text, ']');

		if (!close || (close[1] && close[1] != ':'))
			return fail_usage("%s: an IPv6 address with a port is [ADDRESS]:PORT",
					  word);
		port = close[1] ? word + (close + 2 - text) : NULL;
		*close = '\0';
		memmove(text, text + 1, strlen(text));
	} else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
		port = strchr(word, ':') + 1;
		*strchr(text, ':') = '\0';
	}
	e->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(e->family, text, e->addr) != 1)
		return fail_usage("%s is not an IPv4 or IPv6 address", text);
	if (port && parse_u32(port, 0, 65535, &number))
		return fail_usage("%s is not a port (0 to 65535)", port);
	e->port = (uint16_t)number;
	return 0;
}

static int proto_number(const char *word, int family, uint32_t *proto)
{
	static const struct {
		const char *name;
		int number;
	} names[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP } };

	if (!strcmp(word, "icmp")) {
		*proto = family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(word, names[i].name)) {
			*proto = (uint32_t)names[i].number;
			return 0;
		}
	return parse_u32(word, 0, 255, proto);
}

static uint8_t *put_ip(uint8_t *at, const struct end *src, const struct end *dst, uint32_t proto,
		       uint16_t payload)
{
	struct iphdr ip4 = { .version = 4, .ihl = 5, .ttl = 64, .protocol = (uint8_t)proto };
	struct ipv6hdr ip6 = { .version = 6, .hop_limit = 64, .nexthdr = (uint8_t)proto };

	if (src->family == AF_INET) {
		ip4.tot_len = htons((uint16_t)(sizeof(ip4) + payload));
		memcpy(&ip4.saddr, src->addr, 4);
		memcpy(&ip4.daddr, dst->addr, 4);
		memcpy(at, &ip4, sizeof(ip4));
		return at + sizeof(ip4);
	}
	ip6.payload_len = htons(payload);
	memcpy(&ip6.saddr, src->addr, 16);
	memcpy(&ip6.daddr, dst->addr, 16);
	memcpy(at, &ip6, sizeof(ip6));
	return at + sizeof(ip6);
}

/* TCP: the first packet of a connection, unless a word gives other flags. */
static int put_transport(uint8_t *at, uint32_t proto, const struct end *src, const struct end *dst,
			 const char *flags)
{
	struct tcphdr tcp = { .source = htons(src->port),
			      .dest = htons(dst->port),
			      .doff = 5,
			      .syn = !flags || strchr(flags, 'S') != NULL,
			      .ack = flags && strchr(flags, '.') != NULL,
			      .fin = flags && strchr(flags, 'F') != NULL,
			      .rst = flags && strchr(flags, 'R') != NULL,
			      .psh = flags && strchr(flags, 'P') != NULL };
	struct udphdr udp = { .source = htons(src->port),
			      .dest = htons(dst->port),
			      .len = htons(8) };
	uint8_t echo[8] = { src->family == AF_INET6 ? 128 : 8 };

	if (proto == IPPROTO_TCP) {
		memcpy(at, &tcp, sizeof(tcp));
		return sizeof(tcp);
	}
	if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		memcpy(at, echo, sizeof(echo));
	else
		memcpy(at, &udp, sizeof(udp));
	return 8;
}

int filter_packet_make(char **words, int n, uint8_t out[128])
{
	uint8_t *at = out + ETH_HLEN, transport[sizeof(struct tcphdr)] = { 0 };
	struct end src = { 0 }, dst = { 0 };
	uint16_t type;
	uint32_t proto;
	int rc, len;

	if (n < 3 || n > 4)
		return fail_usage("a packet is PROTOCOL SOURCE[:PORT] DESTINATION[:PORT] [FLAGS]");
	rc = parse_end(words[1], &src);
	if (!rc)
		rc = parse_end(words[2], &dst);
	if (rc)
		return rc;
	if (src.family != dst.family)
		return fail_usage("%s and %s: one is IPv4, the other IPv6", words[1], words[2]);
	if (proto_number(words[0], src.family, &proto))
		return fail_usage("%s: a protocol is tcp, udp, icmp, sctp or a number", words[0]);
	if (n > 3 && words[3][strspn(words[3], "SFRP.")])
		return fail_usage("%s: TCP flags are S, F, R, P and . (ACK)", words[3]);
	memset(out, 0, 128);
	type = htons(src.family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	memcpy(out + 2 * ETH_ALEN, &type, sizeof(type));
	len = put_transport(transport, proto, &src, &dst, n > 3 ? words[3] : NULL);
	at = put_ip(at, &src, &dst, proto, (uint16_t)len);
	memcpy(at, transport, (size_t)len);
	return (int)(at - out) + len;
}
