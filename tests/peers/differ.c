/* SPDX-License-Identifier: MIT */
/* The intended differences between sonde's filters and libpcap's: each row has a packet that shows
 * one, matched by both. usage: differ [-m]: -m prints the manual's table. */
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include "base/array.h"
#include "filter/filter.h"
#include "filter/view.h"
#include "tests/lib/packet.h"

enum answer { NO, YES, REFUSED };
static const char *const answer_texts[] = { "does not", "matches", "is refused" };

/* clang-format off */
/* A VLAN tag between the addresses and IPv4. */
static const struct packet_header tagged[] = {
	{ PACKET_ETH, 0x8100, 0 },
	{ PACKET_VLAN, 7, 0x0800 },
	{ PACKET_IPV4, 6, 5 },
	{ PACKET_TCP, 5, 0 },
	{ 0 },
};
static const struct packet_header tagged_twice[] = {
	{ PACKET_ETH, 0x88a8, 0 },
	{ PACKET_VLAN, 7, 0x8100 },
	{ PACKET_VLAN, 9, 0x0800 },
	{ PACKET_IPV4, 6, 5 },
	{ PACKET_TCP, 5, 0 },
	{ 0 },
};
/* MPLS label 16, at the bottom of the stack. */
static const struct packet_header labelled[] = {
	{ PACKET_ETH, 0x8847, 0 },
	{ PACKET_BE16, 1, 0 },
	{ PACKET_BE16, 0x0140, 0 },
	{ PACKET_IPV4, 6, 5 },
	{ PACKET_TCP, 5, 0 },
	{ 0 },
};
static const struct packet_header extended[] = {
	{ PACKET_ETH, 0x86dd, 0 },
	{ PACKET_IPV6, 0, 0 },
	{ PACKET_EXT, 60, 0 },
	{ PACKET_EXT, 6, 1 },
	{ PACKET_TCP, 5, 0 },
	{ 0 },
};
static const struct packet_header fragmented[] = {
	{ PACKET_ETH, 0x86dd, 0 },
	{ PACKET_IPV6, 44, 0 },
	{ PACKET_FRAG, 17, 1 },
	{ PACKET_UDP, 8, 0 },
	{ 0 },
};
static const struct packet_header plain6[] = {
	{ PACKET_ETH, 0x86dd, 0 },
	{ PACKET_IPV6, 6, 0 },
	{ PACKET_TCP, 5, 0 },
	{ 0 },
};
/* clang-format on */

static const struct {
	const char *packet;
	const struct packet_header *headers;
	const char *filter, *reason;
	enum answer sonde, libpcap;
} rows[] = {
	{ "tagged (802.1Q) TCP", tagged, "tcp port 443", "tags are transparent", YES, NO },
	{ "tagged (802.1Q) TCP", tagged, "vlan 7 and tcp port 443", "`vlan` matches a tag", YES,
	  YES },
	{ "tagged (802.1Q) TCP", tagged, "tcp port 443 and vlan 7",
	  "`vlan` changes no offsets in other terms", YES, REFUSED },
	{ "tagged twice (QinQ)", tagged_twice, "host 192.0.2.1", "two tags are transparent, too",
	  YES, NO },
	{ "MPLS", labelled, "tcp port 443", "labels are transparent", YES, NO },
	{ "IPv6 with options", extended, "tcp port 443", "extension headers are walked", YES, NO },
	{ "IPv6 with options", extended, "ip6 proto 6", "`ip6 proto` is the protocol after them",
	  YES, NO },
	{ "IPv6 with options", extended, "ip6 protochain 6", "`protochain` needs no loop", YES,
	  YES },
	{ "IPv6, first fragment", fragmented, "udp port 53", "the first fragment has the ports",
	  YES, NO },
	{ "TCP over IPv6", plain6, "tcp[13] & 16 != 0", "transport bytes after IPv6, too", YES,
	  NO },
	{ "TCP over IPv6", plain6, "tcp[tcpflags] == tcp-ack", "the same by name", YES, NO },
};
enum { ROWS = ARRAY_LEN(rows) };

static enum answer match_sonde(const char *text, const struct packet *p)
{
	struct frame frame = { .data = p->at,
			       .caplen = (uint32_t)p->len,
			       .len = (uint32_t)p->len,
			       .link = FRAME_ETHERNET };
	struct view views[VIEW_LAYERS];
	struct filter_packet packet = { views, p->at, (uint32_t)p->len };
	struct diag diag = { 0 };
	struct filter f = { 0 };
	bool match;

	if (filter_parse(&f, text, NULL, &diag)) {
		fprintf(stderr, "'%s': %s\n", text, diag.msg);
		return REFUSED;
	}
	view_frame(views, &frame);
	match = filter_match(&f, &packet);
	filter_close(&f);
	return match ? YES : NO;
}

static enum answer match_libpcap(const char *text, const struct packet *p)
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
		printf("| packet | filter | sonde | libpcap | reason |\n"
		       "| --- | --- | --- | --- | --- |\n");
	for (int i = 0; i < ROWS; i++) {
		struct packet p = { .len = 0 };
		enum answer a, b;

		packet_headers(&p, rows[i].headers);
		a = match_sonde(rows[i].filter, &p);
		b = match_libpcap(rows[i].filter, &p);
		if (manual)
			printf("| %s | `%s` | %s | %s | %s |\n", rows[i].packet, rows[i].filter,
			       answer_texts[a], answer_texts[b], rows[i].reason);
		if (a == rows[i].sonde && b == rows[i].libpcap)
			continue;
		failed++;
		if (!manual)
			printf("FAIL %s, '%s': sonde %s, libpcap %s\n", rows[i].packet,
			       rows[i].filter, answer_texts[a], answer_texts[b]);
	}
	if (!manual)
		printf("%d passed, %d failed, 0 skipped\n", ROWS - failed, failed);
	return failed != 0;
}
