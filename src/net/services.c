/* SPDX-License-Identifier: MIT */
/* Well-known services in one table for lookups by port and by name. */
#include "net/services.h"
#include <string.h>
#include "base/array.h"

/* Flags of a row. A packet line shows the first name of a port with its protocol; a filter accepts
 * all names except DISPLAY_ONLY ones. */
enum {
	TCP = 1,
	UDP = 2,
	BOTH = 3,
	DISPLAY_ONLY = 4, /* a name in packet lines that filters do not accept */
	FILTER_ONLY = 0,  /* a name for filters that packet lines do not show */
};

/* Sorted by port for binary search. Names are those of Debian's /etc/services, but packet lines
 * have long names shortened. */
static const struct service {
	uint16_t port;
	uint8_t flags;
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
	{ 80, FILTER_ONLY, "www" },
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
	{ 143, FILTER_ONLY, "imap" },
	{ 161, BOTH, "snmp" },
	{ 162, BOTH, "snmp-trap" },
	{ 177, FILTER_ONLY, "xdmcp" },
	{ 179, TCP, "bgp" },
	{ 194, BOTH, "irc" },
	{ 319, UDP | DISPLAY_ONLY, "ptp-event" },
	{ 320, UDP | DISPLAY_ONLY, "ptp-general" },
	{ 389, BOTH, "ldap" },
	{ 427, BOTH | DISPLAY_ONLY, "svrloc" },
	{ 443, BOTH, "https" },
	{ 445, TCP, "microsoft-ds" },
	{ 464, BOTH, "kpasswd" },
	{ 465, TCP, "submissions" },
	{ 500, UDP, "isakmp" },
	{ 512, FILTER_ONLY, "exec" },
	{ 513, FILTER_ONLY, "login" },
	{ 514, UDP, "syslog" },
	{ 514, TCP, "shell" },
	{ 515, TCP, "printer" },
	{ 520, UDP, "route" },
	{ 546, UDP | DISPLAY_ONLY, "dhcpv6-c" },
	{ 546, FILTER_ONLY, "dhcpv6-client" },
	{ 547, UDP | DISPLAY_ONLY, "dhcpv6-s" },
	{ 547, FILTER_ONLY, "dhcpv6-server" },
	{ 554, BOTH, "rtsp" },
	{ 563, TCP, "nntps" },
	{ 587, TCP, "submission" },
	{ 623, UDP | DISPLAY_ONLY, "asf-rmcp" },
	{ 631, TCP, "ipp" },
	{ 636, BOTH, "ldaps" },
	{ 646, BOTH, "ldp" },
	{ 853, BOTH, "domain-s" },
	{ 873, TCP, "rsync" },
	{ 989, TCP | DISPLAY_ONLY, "ftps-data" },
	{ 990, TCP, "ftps" },
	{ 992, TCP, "telnets" },
	{ 993, TCP, "imaps" },
	{ 995, TCP, "pop3s" },
	{ 1080, TCP, "socks" },
	{ 1194, BOTH, "openvpn" },
	{ 1433, TCP, "ms-sql-s" },
	{ 1812, UDP, "radius" },
	{ 1813, UDP, "radius-acct" },
	{ 1883, FILTER_ONLY, "mqtt" },
	{ 2049, BOTH, "nfs" },
	{ 2181, FILTER_ONLY, "zookeeper" },
	{ 2375, FILTER_ONLY, "docker" },
	{ 2379, TCP, "etcd-client" },
	{ 2380, TCP, "etcd-server" },
	{ 2628, TCP | DISPLAY_ONLY, "dict" },
	{ 3260, TCP, "iscsi-target" },
	{ 3306, TCP, "mysql" },
	{ 3389, TCP | DISPLAY_ONLY, "ms-wbt-serv" },
	{ 3389, FILTER_ONLY, "ms-wbt-server" },
	{ 3478, BOTH, "stun" },
	{ 3690, TCP | DISPLAY_ONLY, "svn" },
	{ 4369, FILTER_ONLY, "epmd" },
	{ 4500, UDP, "ipsec-nat-t" },
	{ 4789, UDP, "vxlan" },
	{ 5060, BOTH, "sip" },
	{ 5061, BOTH, "sip-tls" },
	{ 5222, TCP, "xmpp-client" },
	{ 5269, TCP | DISPLAY_ONLY, "xmpp-server" },
	{ 5349, BOTH | DISPLAY_ONLY, "stuns" },
	{ 5353, UDP, "mdns" },
	{ 5355, BOTH | DISPLAY_ONLY, "llmnr" },
	{ 5432, TCP, "postgresql" },
	{ 5671, TCP, "amqps" },
	{ 5672, TCP, "amqp" },
	{ 5900, FILTER_ONLY, "vnc" },
	{ 6000, FILTER_ONLY, "x11" },
	{ 6081, UDP, "geneve" },
	{ 6379, TCP, "redis" },
	{ 6443, TCP | DISPLAY_ONLY, "kubernetes" },
	{ 6514, TCP | DISPLAY_ONLY, "syslog-tls" },
	{ 8080, TCP, "http-alt" },
	{ 8883, FILTER_ONLY, "secure-mqtt" },
	{ 9418, TCP | DISPLAY_ONLY, "git" },
	{ 10050, TCP, "zabbix-agent" },
	{ 11211, TCP | DISPLAY_ONLY, "memcached" },
	{ 27017, TCP | DISPLAY_ONLY, "mongodb" },
	{ 51820, UDP, "wireguard" },
};

enum { NSERVICES = ARRAY_LEN(services) };

const char *service_name(bool udp, uint16_t port)
{
	size_t low = 0, high = NSERVICES;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (services[middle].port < port)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < NSERVICES && services[low].port == port; low++)
		if (services[low].flags & (udp ? UDP : TCP))
			return services[low].name;
	return NULL;
}

bool service_port(const char *name, size_t len, uint32_t *port)
{
	for (const struct service *s = services; s < services + NSERVICES; s++) {
		if (s->flags & DISPLAY_ONLY || strlen(s->name) != len || memcmp(s->name, name, len))
			continue;
		*port = s->port;
		return true;
	}
	return false;
}
