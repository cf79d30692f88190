/* SPDX-License-Identifier: MIT */
/* Names of ports and protocols as in tcpdump's lines. */
#include "net/dissect/internal.h"
#include "net/services.h"

void put_port(struct line *l, bool udp, uint16_t port)
{
	const char *name = l->opts->numeric ? NULL : service_name(udp, port);

	if (name)
		put_str(l, name);
	else
		put_u32(l, port);
}

void put_endpoints(struct line *l, uint8_t proto, uint16_t sport, uint16_t dport)
{
	bool udp = proto == 17, whole = l->src && l->proto == proto;

	if (whole) {
		put_ip(l, l->src, l->addr_len);
		put_char(l, '.');
	}
	put_port(l, udp, sport);
	PUT_INLINE(l, " > ");
	if (whole) {
		put_ip(l, l->dst, l->addr_len);
		put_char(l, '.');
	}
	put_port(l, udp, dport);
	PUT_INLINE(l, ": ");
}

static const struct value_name ip_protos[] = {
	{ 0, "Options" },    { 1, "ICMP" },
	{ 2, "IGMP" },       { 4, "IPIP" },
	{ 6, "TCP" },        { 8, "EGP" },
	{ 9, "IGRP" },       { 17, "UDP" },
	{ 33, "DCCP" },      { 41, "IPv6" },
	{ 43, "Routing" },   { 44, "Fragment" },
	{ 46, "RSVP" },      { 47, "GRE" },
	{ 50, "ESP" },       { 51, "AH" },
	{ 55, "Mobile IP" }, { 58, "ICMPv6" },
	{ 88, "EIGRP" },     { 89, "OSPF" },
	{ 103, "PIM" },      { 108, "Compressed IP" },
	{ 112, "VRRP" },     { 113, "PGM" },
	{ 132, "SCTP" },     { 135, "Mobility" },
	{ 143, "Ethernet" },
};

const char *ip_proto_name(uint8_t proto)
{
	const char *name = VALUE_NAME(ip_protos, proto);

	return name ? name : "unknown";
}
