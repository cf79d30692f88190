/* SPDX-License-Identifier: MIT */
/* Tables of protocol names. */
#include "net/proto.h"
#include <stddef.h>
#include "base/array.h"

/* Arrays, not pointers, which would cost a relocation each. */
static const struct {
	uint8_t proto;
	char name[11];
} proto_names[] = {
	{ 0, "hopopt" },     { 1, "icmp" },     { 2, "igmp" },       { 4, "ipip" },
	{ 6, "tcp" },        { 8, "egp" },      { 17, "udp" },       { 27, "rdp" },
	{ 33, "dccp" },      { 41, "ipv6" },    { 43, "route6" },    { 44, "frag6" },
	{ 46, "rsvp" },      { 47, "gre" },     { 50, "esp" },       { 51, "ah" },
	{ 58, "icmpv6" },    { 59, "nonxt6" },  { 60, "dstopts6" },  { 88, "eigrp" },
	{ 89, "ospf" },      { 94, "ipip2" },   { 97, "etherip" },   { 98, "encap" },
	{ 103, "pim" },      { 108, "ipcomp" }, { 112, "vrrp" },     { 115, "l2tp" },
	{ 132, "sctp" },     { 133, "fc" },     { 135, "mobility" }, { 136, "udplite" },
	{ 137, "mpls" },     { 139, "hip" },    { 140, "shim6" },    { 142, "rohc" },
	{ 143, "ethernet" }, { 255, "raw" },
};

const char *net_proto_name(uint8_t proto)
{
	for (size_t i = 0; i < ARRAY_LEN(proto_names); i++)
		if (proto_names[i].proto == proto)
			return proto_names[i].name;
	return NULL;
}

static const struct {
	uint16_t type;
	char name[10];
} ethertypes[] = {
	{ 0x0800, "ipv4" },    { 0x0806, "arp" },      { 0x0842, "wol" },    { 0x22f3, "trill" },
	{ 0x8035, "rarp" },    { 0x8100, "vlan" },     { 0x8137, "ipx" },    { 0x86dd, "ipv6" },
	{ 0x8808, "pause" },   { 0x8809, "slow" },     { 0x8847, "mpls" },   { 0x8848, "mpls-mc" },
	{ 0x8863, "pppoe-d" }, { 0x8864, "pppoe" },    { 0x888e, "eapol" },  { 0x8892, "profinet" },
	{ 0x88a2, "aoe" },     { 0x88a4, "ethercat" }, { 0x88a8, "qinq" },   { 0x88b8, "goose" },
	{ 0x88ba, "sv" },      { 0x88cc, "lldp" },     { 0x88e5, "macsec" }, { 0x88f7, "ptp" },
	{ 0x8902, "cfm" },     { 0x8906, "fcoe" },     { 0x8914, "fip" },    { 0x8915, "roce" },
	{ 0x894f, "nsh" },     { 0x9000, "loopback" }, { 0x9100, "qinq1" },
};

const char *net_ethertype_name(uint16_t type)
{
	if (type < 0x600)
		return "llc";
	for (size_t i = 0; i < ARRAY_LEN(ethertypes); i++)
		if (ethertypes[i].type == type)
			return ethertypes[i].name;
	return NULL;
}
