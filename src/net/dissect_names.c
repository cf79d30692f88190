/* SPDX-License-Identifier: MIT */
/* Names of ports and protocols as tcpdump's lines have them. */
#include "net/dissect_part.h"

enum { TCP = 1, UDP = 2, BOTH = 3 };

/* By port, for the search; what Debian's /etc/services says of ports that are met. */
static const struct service {
	uint16_t port;
	uint8_t of;
	char name[13];
} services[] = {
	{ 7, BOTH, "echo" },
	{ 9, BOTH, "discard" },
	{ 13, BOTH, "daytime" },
	{ 19, BOTH, "chargen" },
	{ 20, TCP, "ftp-data" },
	{ 21, TCP, "ftp" },
	{ 22, TCP, "ssh" },
	{ 23, TCP, "telnet" },
	{ 25, TCP, "smtp" },
	{ 37, BOTH, "time" },
	{ 43, TCP, "whois" },
	{ 49, BOTH, "tacacs" },
	{ 53, BOTH, "domain" },
	{ 67, UDP, "bootps" },
	{ 68, UDP, "bootpc" },
	{ 69, UDP, "tftp" },
	{ 70, TCP, "gopher" },
	{ 79, TCP, "finger" },
	{ 80, TCP, "http" },
	{ 88, BOTH, "kerberos" },
	{ 110, TCP, "pop3" },
	{ 111, BOTH, "sunrpc" },
	{ 113, TCP, "auth" },
	{ 119, TCP, "nntp" },
	{ 123, UDP, "ntp" },
	{ 135, TCP, "epmap" },
	{ 137, UDP, "netbios-ns" },
	{ 138, UDP, "netbios-dgm" },
	{ 139, TCP, "netbios-ssn" },
	{ 143, TCP, "imap2" },
	{ 161, BOTH, "snmp" },
	{ 162, BOTH, "snmp-trap" },
	{ 179, TCP, "bgp" },
	{ 194, BOTH, "irc" },
	{ 319, UDP, "ptp-event" },
	{ 320, UDP, "ptp-general" },
	{ 389, BOTH, "ldap" },
	{ 427, BOTH, "svrloc" },
	{ 443, BOTH, "https" },
	{ 445, TCP, "microsoft-ds" },
	{ 464, BOTH, "kpasswd" },
	{ 465, TCP, "submissions" },
	{ 500, UDP, "isakmp" },
	{ 514, UDP, "syslog" },
	{ 514, TCP, "shell" },
	{ 515, TCP, "printer" },
	{ 520, UDP, "route" },
	{ 546, UDP, "dhcpv6-c" },
	{ 547, UDP, "dhcpv6-s" },
	{ 554, BOTH, "rtsp" },
	{ 563, TCP, "nntps" },
	{ 587, TCP, "submission" },
	{ 623, UDP, "asf-rmcp" },
	{ 631, TCP, "ipp" },
	{ 636, BOTH, "ldaps" },
	{ 646, BOTH, "ldp" },
	{ 853, BOTH, "domain-s" },
	{ 873, TCP, "rsync" },
	{ 989, TCP, "ftps-data" },
	{ 990, TCP, "ftps" },
	{ 992, TCP, "telnets" },
	{ 993, TCP, "imaps" },
	{ 995, TCP, "pop3s" },
	{ 1080, TCP, "socks" },
	{ 1194, BOTH, "openvpn" },
	{ 1433, TCP, "ms-sql-s" },
	{ 1812, UDP, "radius" },
	{ 1813, UDP, "radius-acct" },
	{ 2049, BOTH, "nfs" },
	{ 2379, TCP, "etcd-client" },
	{ 2380, TCP, "etcd-server" },
	{ 2628, TCP, "dict" },
	{ 3260, TCP, "iscsi-target" },
	{ 3306, TCP, "mysql" },
	{ 3389, TCP, "ms-wbt-serv" },
	{ 3478, BOTH, "stun" },
	{ 3690, TCP, "svn" },
	{ 4500, UDP, "ipsec-nat-t" },
	{ 4789, UDP, "vxlan" },
	{ 5060, BOTH, "sip" },
	{ 5061, BOTH, "sip-tls" },
	{ 5222, TCP, "xmpp-client" },
	{ 5269, TCP, "xmpp-server" },
	{ 5349, BOTH, "stuns" },
	{ 5353, UDP, "mdns" },
	{ 5355, BOTH, "llmnr" },
	{ 5432, TCP, "postgresql" },
	{ 5671, TCP, "amqps" },
	{ 5672, TCP, "amqp" },
	{ 6081, UDP, "geneve" },
	{ 6379, TCP, "redis" },
	{ 6443, TCP, "kubernetes" },
	{ 6514, TCP, "syslog-tls" },
	{ 8080, TCP, "http-alt" },
	{ 9418, TCP, "git" },
	{ 10050, TCP, "zabbix-agent" },
	{ 11211, TCP, "memcached" },
	{ 27017, TCP, "mongodb" },
	{ 51820, UDP, "wireguard" },
};

const char *port_name(bool udp, uint16_t port)
{
	size_t low = 0, high = sizeof(services) / sizeof(*services);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (services[middle].port < port)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < sizeof(services) / sizeof(*services) && services[low].port == port; low++)
		if (services[low].of & (udp ? UDP : TCP))
			return services[low].name;
	return NULL;
}

void put_port_alone(struct line *l, bool udp, uint16_t port)
{
	const char *name = l->o->numeric ? NULL : port_name(udp, port);

	if (name)
		put_str(l, name);
	else
		put_u32(l, port);
}

void put_port(struct line *l, bool udp, uint16_t port)
{
	put_char(l, '.');
	put_port_alone(l, udp, port);
}

void put_ends(struct line *l, uint8_t proto, uint16_t sport, uint16_t dport)
{
	bool udp = proto == 17, whole = l->src && l->proto == proto;

	if (whole) {
		put_ip(l, l->src, l->addr_len);
		put_char(l, '.');
	}
	put_port_alone(l, udp, sport);
	HOT(l, " > ");
	if (whole) {
		put_ip(l, l->dst, l->addr_len);
		put_char(l, '.');
	}
	put_port_alone(l, udp, dport);
	HOT(l, ": ");
}

static const struct word ip_protos[] = {
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

const char *ip_proto_word(uint8_t proto)
{
	const char *word = WORD_OF(ip_protos, proto);

	return word ? word : "unknown";
}

static const struct word ethertypes[] = {
	{ 0x0800, "IPv4" },
	{ 0x86dd, "IPv6" },
	{ 0x0806, "ARP" },
	{ 0x8035, "Reverse ARP" },
	{ 0x8100, "802.1Q" },
	{ 0x88a8, "802.1Q-QinQ" },
	{ 0x9100, "802.1Q-9100" },
	{ 0x9200, "802.1Q-9200" },
	{ 0x8847, "MPLS unicast" },
	{ 0x8848, "MPLS multicast" },
	{ 0x8863, "PPPoE D" },
	{ 0x8864, "PPPoE S" },
	{ 0x6558, "TEB" },
	{ 0x880b, "PPP" },
	{ 0x8808, "MPCP" },
	{ 0x8809, "Slow Protocols" },
	{ 0x888e, "EAPOL" },
	{ 0x88cc, "LLDP" },
	{ 0x88e5, "802.1AE MACsec" },
	{ 0x88f7, "PTP" },
	{ 0x8902, "CFM" },
	{ 0x9000, "Loopback" },
};

const char *ethertype_word(uint16_t type)
{
	return WORD_OF(ethertypes, type);
}
