/* SPDX-License-Identifier: MIT */
/* Tables of the names in pcap-filter(7). */
#include "base/array.h"
#include "filter/names.h"
#include <linux/if_ether.h>
#include <linux/in.h>
#include <string.h>

enum { ANY = 10 }; /* both families */

static const struct filter_proto protos[] = {
	{ "ether", PROTO_LINK, 0, 0, false },
	{ "link", PROTO_LINK, 0, 0, false },
	{ "ip", PROTO_NET, 4, ETH_P_IP, false },
	{ "ip6", PROTO_NET, 6, ETH_P_IPV6, false },
	{ "arp", PROTO_NET, 0, ETH_P_ARP, false },
	{ "rarp", PROTO_NET, 0, ETH_P_RARP, false },
	{ "tcp", PROTO_TRANS, ANY, IPPROTO_TCP, true },
	{ "udp", PROTO_TRANS, ANY, IPPROTO_UDP, true },
	{ "sctp", PROTO_TRANS, ANY, IPPROTO_SCTP, true },
	{ "icmp", PROTO_TRANS, 4, IPPROTO_ICMP, false },
	{ "icmp6", PROTO_TRANS, 6, 58, false },
	{ "igmp", PROTO_TRANS, 4, IPPROTO_IGMP, false },
	{ "igrp", PROTO_TRANS, 4, 9, false },
	{ "pim", PROTO_TRANS, ANY, IPPROTO_PIM, false },
	{ "vrrp", PROTO_TRANS, 4, 112, false },
	{ "ah", PROTO_TRANS, ANY, IPPROTO_AH, false },
	{ "esp", PROTO_TRANS, ANY, IPPROTO_ESP, false },
};

struct named_number {
	char name[32];
	uint16_t value;
};

static const struct named_number ethertypes[] = {
	{ "ip", ETH_P_IP },        { "ip6", ETH_P_IPV6 },        { "arp", ETH_P_ARP },
	{ "rarp", ETH_P_RARP },    { "atalk", ETH_P_ATALK },     { "aarp", ETH_P_AARP },
	{ "ipx", ETH_P_IPX },      { "lat", ETH_P_LAT },         { "loopback", ETH_P_LOOPBACK },
	{ "mopdl", 0x6001 },       { "moprc", 0x6002 },          { "decnet", 0x6003 },
	{ "mpls", ETH_P_MPLS_UC }, { "pppoed", ETH_P_PPP_DISC }, { "pppoes", ETH_P_PPP_SES },
	{ "lldp", ETH_P_LLDP },    { "eapol", ETH_P_PAE },       { "macsec", ETH_P_MACSEC },
};

static const struct named_number ip_protos[] = {
	{ "icmp", 1 },       { "igmp", 2 },   { "ipip", 4 },      { "ipencap", 4 }, { "tcp", 6 },
	{ "egp", 8 },        { "igrp", 9 },   { "udp", 17 },      { "dccp", 33 },   { "ipv6", 41 },
	{ "rsvp", 46 },      { "gre", 47 },   { "esp", 50 },      { "ah", 51 },     { "icmp6", 58 },
	{ "ipv6-icmp", 58 }, { "eigrp", 88 }, { "ospf", 89 },     { "pim", 103 },   { "vrrp", 112 },
	{ "l2tp", 115 },     { "sctp", 132 }, { "udplite", 136 },
};

static const struct named_number constants[] = {
	{ "tcpflags", 13 },
	{ "tcp-fin", 0x01 },
	{ "tcp-syn", 0x02 },
	{ "tcp-rst", 0x04 },
	{ "tcp-push", 0x08 },
	{ "tcp-ack", 0x10 },
	{ "tcp-urg", 0x20 },
	{ "tcp-ece", 0x40 },
	{ "tcp-cwr", 0x80 },
	{ "icmptype", 0 },
	{ "icmpcode", 1 },
	{ "icmp-echoreply", 0 },
	{ "icmp-unreach", 3 },
	{ "icmp-sourcequench", 4 },
	{ "icmp-redirect", 5 },
	{ "icmp-echo", 8 },
	{ "icmp-routeradvert", 9 },
	{ "icmp-routersolicit", 10 },
	{ "icmp-timxceed", 11 },
	{ "icmp-paramprob", 12 },
	{ "icmp-tstamp", 13 },
	{ "icmp-tstampreply", 14 },
	{ "icmp-ireq", 15 },
	{ "icmp-ireqreply", 16 },
	{ "icmp-maskreq", 17 },
	{ "icmp-maskreply", 18 },
	{ "icmp6type", 0 },
	{ "icmp6code", 1 },
	{ "icmp6-destinationunreach", 1 },
	{ "icmp6-packettoobig", 2 },
	{ "icmp6-timeexceeded", 3 },
	{ "icmp6-parameterproblem", 4 },
	{ "icmp6-echo", 128 },
	{ "icmp6-echoreply", 129 },
	{ "icmp6-multicastlistenerquery", 130 },
	{ "icmp6-multicastlistenerreportv1", 131 },
	{ "icmp6-multicastlistenerdone", 132 },
	{ "icmp6-routersolicit", 133 },
	{ "icmp6-routeradvert", 134 },
	{ "icmp6-neighborsolicit", 135 },
	{ "icmp6-neighboradvert", 136 },
	{ "icmp6-redirect", 137 },
	{ "icmp6-routerrenum", 138 },
	{ "icmp6-nodeinformationquery", 139 },
	{ "icmp6-nodeinformationresponse", 140 },
	{ "icmp6-multicastlistenerreportv2", 143 },
};

static bool find_number(const struct named_number *table, size_t n, const char *text, size_t len,
			uint32_t *value)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(table[i].name) != len || memcmp(table[i].name, text, len))
			continue;
		*value = table[i].value;
		return true;
	}
	return false;
}
#define FIND_NUMBER(table, text, len, value) \
	find_number(table, sizeof(table) / sizeof(*(table)), text, len, value)

const struct filter_proto *names_find_proto(const struct token *t)
{
	for (size_t i = 0; i < ARRAY_LEN(protos); i++)
		if (token_is(t, protos[i].name))
			return &protos[i];
	return NULL;
}

bool names_find_ethertype(const struct token *t, uint32_t *number)
{
	return FIND_NUMBER(ethertypes, t->text, t->len, number);
}

bool names_find_ip_proto(const struct token *t, uint32_t *number)
{
	return FIND_NUMBER(ip_protos, t->text, t->len, number);
}

bool names_find_constant(const struct token *t, uint32_t *number)
{
	return t->kind == TOKEN_WORD && FIND_NUMBER(constants, t->text, t->len, number);
}
