/* SPDX-License-Identifier: MIT */
/* The services that are met, in one table for either direction. */
#include "net/services.h"
#include <string.h>
#include "base/array.h"

/* What a row is for. A packet's line shows the first name of its protocol and port; a filter takes
 * every name but those marked so. */
enum {
	TCP = 1,
	UDP = 2,
	BOTH = 3,
	SHOWN = 4, /* a line's word that is no word of a filter */
	ALIAS = 0, /* a filter's word that no line shows */
};

/* By port, for the search; as Debian's /etc/services has them, but that lines cut long names. */
static const struct service {
	uint16_t port;
	uint8_t of;
	char name[14];
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
	{ 80, ALIAS, "www" },
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
	{ 143, ALIAS, "imap" },
	{ 161, BOTH, "snmp" },
	{ 162, BOTH, "snmp-trap" },
	{ 177, ALIAS, "xdmcp" },
	{ 179, TCP, "bgp" },
	{ 194, BOTH, "irc" },
	{ 319, UDP | SHOWN, "ptp-event" },
	{ 320, UDP | SHOWN, "ptp-general" },
	{ 389, BOTH, "ldap" },
	{ 427, BOTH | SHOWN, "svrloc" },
	{ 443, BOTH, "https" },
	{ 445, TCP, "microsoft-ds" },
	{ 464, BOTH, "kpasswd" },
	{ 465, TCP, "submissions" },
	{ 500, UDP, "isakmp" },
	{ 512, ALIAS, "exec" },
	{ 513, ALIAS, "login" },
	{ 514, UDP, "syslog" },
	{ 514, TCP, "shell" },
	{ 515, TCP, "printer" },
	{ 520, UDP, "route" },
	{ 546, UDP | SHOWN, "dhcpv6-c" },
	{ 546, ALIAS, "dhcpv6-client" },
	{ 547, UDP | SHOWN, "dhcpv6-s" },
	{ 547, ALIAS, "dhcpv6-server" },
	{ 554, BOTH, "rtsp" },
	{ 563, TCP, "nntps" },
	{ 587, TCP, "submission" },
	{ 623, UDP | SHOWN, "asf-rmcp" },
	{ 631, TCP, "ipp" },
	{ 636, BOTH, "ldaps" },
	{ 646, BOTH, "ldp" },
	{ 853, BOTH, "domain-s" },
	{ 873, TCP, "rsync" },
	{ 989, TCP | SHOWN, "ftps-data" },
	{ 990, TCP, "ftps" },
	{ 992, TCP, "telnets" },
	{ 993, TCP, "imaps" },
	{ 995, TCP, "pop3s" },
	{ 1080, TCP, "socks" },
	{ 1194, BOTH, "openvpn" },
	{ 1433, TCP, "ms-sql-s" },
	{ 1812, UDP, "radius" },
	{ 1813, UDP, "radius-acct" },
	{ 1883, ALIAS, "mqtt" },
	{ 2049, BOTH, "nfs" },
	{ 2181, ALIAS, "zookeeper" },
	{ 2375, ALIAS, "docker" },
	{ 2379, TCP, "etcd-client" },
	{ 2380, TCP, "etcd-server" },
	{ 2628, TCP | SHOWN, "dict" },
	{ 3260, TCP, "iscsi-target" },
	{ 3306, TCP, "mysql" },
	{ 3389, TCP | SHOWN, "ms-wbt-serv" },
	{ 3389, ALIAS, "ms-wbt-server" },
	{ 3478, BOTH, "stun" },
	{ 3690, TCP | SHOWN, "svn" },
	{ 4369, ALIAS, "epmd" },
	{ 4500, UDP, "ipsec-nat-t" },
	{ 4789, UDP, "vxlan" },
	{ 5060, BOTH, "sip" },
	{ 5061, BOTH, "sip-tls" },
	{ 5222, TCP, "xmpp-client" },
	{ 5269, TCP | SHOWN, "xmpp-server" },
	{ 5349, BOTH | SHOWN, "stuns" },
	{ 5353, UDP, "mdns" },
	{ 5355, BOTH | SHOWN, "llmnr" },
	{ 5432, TCP, "postgresql" },
	{ 5671, TCP, "amqps" },
	{ 5672, TCP, "amqp" },
	{ 5900, ALIAS, "vnc" },
	{ 6000, ALIAS, "x11" },
	{ 6081, UDP, "geneve" },
	{ 6379, TCP, "redis" },
	{ 6443, TCP | SHOWN, "kubernetes" },
	{ 6514, TCP | SHOWN, "syslog-tls" },
	{ 8080, TCP, "http-alt" },
	{ 8883, ALIAS, "secure-mqtt" },
	{ 9418, TCP | SHOWN, "git" },
	{ 10050, TCP, "zabbix-agent" },
	{ 11211, TCP | SHOWN, "memcached" },
	{ 27017, TCP | SHOWN, "mongodb" },
	{ 51820, UDP, "wireguard" },
};

enum { SERVICES = ARRAY_LEN(services) };

const char *service_name(bool udp, uint16_t port)
{
	size_t low = 0, high = SERVICES;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (services[middle].port < port)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < SERVICES && services[low].port == port; low++)
		if (services[low].of & (udp ? UDP : TCP))
			return services[low].name;
	return NULL;
}

bool service_port(const char *name, size_t len, uint32_t *port)
{
	for (const struct service *s = services; s < services + SERVICES; s++) {
		if (s->of & SHOWN || strlen(s->name) != len || memcmp(s->name, name, len))
			continue;
		*port = s->port;
		return true;
	}
	return false;
}
