/* SPDX-License-Identifier: MIT */
/* Where filters differ from libpcap's on purpose: each row on a packet that shows it, judged by
 * both. usage: differ [-m]: -m prints the manual's table. */
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include "filter/filter.h"
#include "filter/view.h"
#include "tests/lib/packet.h"

enum answer { NO, YES, REFUSED };
static const char *const words[] = { "does not", "matches", "is refused" };

/* A tag between the addresses and IPv4. */
static void tagged(struct packet *p)
{
	packet_eth(p, 0x8100);
	packet_vlan(p, 7, 0x0800);
	packet_ipv4(p, 6, 5);
	packet_tcp(p, 5);
}

static void tagged_twice(struct packet *p)
{
	packet_eth(p, 0x88a8);
	packet_vlan(p, 7, 0x8100);
	packet_vlan(p, 9, 0x0800);
	packet_ipv4(p, 6, 5);
	packet_tcp(p, 5);
}

static void labelled(struct packet *p)
{
	packet_eth(p, 0x8847);
	packet_be16(p, 1);
	packet_be16(p, 0x0140); /* label 16, the last one */
	packet_ipv4(p, 6, 5);
	packet_tcp(p, 5);
}

static void extended(struct packet *p)
{
	packet_eth(p, 0x86dd);
	packet_ipv6(p, 0);
	packet_ext(p, 60, 0);
	packet_ext(p, 6, 1);
	packet_tcp(p, 5);
}

static void fragmented(struct packet *p)
{
	packet_eth(p, 0x86dd);
	packet_ipv6(p, 44);
	packet_frag(p, 17, 0, 1);
	packet_udp(p, 8);
}

static void plain6(struct packet *p)
{
	packet_eth(p, 0x86dd);
	packet_ipv6(p, 6);
	packet_tcp(p, 5);
}

static const struct {
	const char *packet;
	void (*make)(struct packet *p);
	const char *filter, *why;
	enum answer ours, theirs;
} rows[] = {
	{ "tagged (802.1Q) TCP", tagged, "tcp port 443", "tags are transparent", YES, NO },
	{ "tagged (802.1Q) TCP", tagged, "vlan 7 and tcp port 443", "`vlan` asks for a tag", YES,
	  YES },
	{ "tagged (802.1Q) TCP", tagged, "tcp port 443 and vlan 7",
	  "`vlan` does not move what follows or went before", YES, REFUSED },
	{ "tagged twice (QinQ)", tagged_twice, "host 192.0.2.1", "so are two tags", YES, NO },
	{ "MPLS", labelled, "tcp port 443", "labels are transparent", YES, NO },
	{ "IPv6 with options", extended, "tcp port 443", "extension headers are walked", YES, NO },
	{ "IPv6 with options", extended, "ip6 proto 6", "`ip6 proto` is what they lead to", YES,
	  NO },
	{ "IPv6 with options", extended, "ip6 protochain 6", "`protochain` needs no loop", YES,
	  YES },
	{ "IPv6, first fragment", fragmented, "udp port 53", "the first one has the ports", YES,
	  NO },
	{ "TCP over IPv6", plain6, "tcp[13] & 16 != 0", "transport bytes behind IPv6, too", YES,
	  NO },
	{ "TCP over IPv6", plain6, "tcp[tcpflags] == tcp-ack", "the same by name", YES, NO },
};
enum { ROWS = sizeof(rows) / sizeof(*rows) };

static enum answer ours(const char *text, const struct packet *p)
{
	struct frame frame = { .data = p->at,
			       .caplen = (uint32_t)p->len,
			       .len = (uint32_t)p->len,
			       .link = FRAME_ETHERNET };
	struct view views[VIEW_LAYERS];
	struct filter_packet judged = { views, p->at, (uint32_t)p->len };
	struct diag diag = { 0 };
	struct filter f = { 0 };
	bool match;

	if (filter_parse(&f, text, NULL, &diag)) {
		fprintf(stderr, "'%s': %s\n", text, diag.msg);
		return REFUSED;
	}
	view_frame(views, &frame);
	match = filter_match(&f, &judged);
	filter_close(&f);
	return match ? YES : NO;
}

static enum answer theirs(const char *text, const struct packet *p)
{
	struct pcap_pkthdr h = { .caplen = (bpf_u_int32)p->len, .len = (bpf_u_int32)p->len };
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
	struct bpf_program program;
	enum answer answer = REFUSED;

	if (!pcap_compile(pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN)) {
		answer = pcap_offline_filter(&program, &h, p->at) ? YES : NO;
		pcap_freecode(&program);
	}
	pcap_close(pcap);
	return answer;
}

int main(int argc, char **argv)
{
	bool manual = argc > 1 && !strcmp(argv[1], "-m");
	int failed = 0;

	if (manual)
		printf("| packet | filter | sonde | libpcap | because |\n"
		       "| --- | --- | --- | --- | --- |\n");
	for (int i = 0; i < ROWS; i++) {
		struct packet p = { .len = 0 };
		enum answer a, b;

		rows[i].make(&p);
		a = ours(rows[i].filter, &p);
		b = theirs(rows[i].filter, &p);
		if (manual)
			printf("| %s | `%s` | %s | %s | %s |\n", rows[i].packet, rows[i].filter,
			       words[a], words[b], rows[i].why);
		if (a == rows[i].ours && b == rows[i].theirs)
			continue;
		failed++;
		if (!manual)
			printf("FAIL %s, '%s': sonde %s, libpcap %s\n", rows[i].packet,
			       rows[i].filter, words[a], words[b]);
	}
	if (!manual)
		printf("%d passed, %d failed, 0 skipped\n", ROWS - failed, failed);
	return failed != 0;
}
