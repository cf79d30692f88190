/* SPDX-License-Identifier: MIT */
/* Compares the filter language with libpcap's: the same expressions on the same packets must match
 * alike. usage: filter [EXPRESSIONS [SEED]] */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "filter/filter.h"
#include "tests/lib/exprs.h"

enum { PACKETS = 600, TEXT_MAX = 2000 };

static struct exprs_packet packets[PACKETS];

/* An intended difference: libpcap reads transport bytes only after IPv4. */
static bool is_known_difference(const char *text, const struct view *v)
{
	return v->family == 6 &&
	       (strstr(text, "tcp[") || strstr(text, "udp[") || strstr(text, "icmp["));
}

static int compare_filter(pcap_t *pcap, const char *text, unsigned long *compared,
			  unsigned long *matched)
{
	struct diag diag = { 0 };
	struct bpf_program program;
	struct filter f = { 0 };
	int libpcap_rc = pcap_compile(pcap, &program, text, 0, PCAP_NETMASK_UNKNOWN);
	int sonde_rc = filter_parse(&f, text, NULL, &diag), is_wrong = 0;

	if (libpcap_rc && sonde_rc)
		return 0;
	/* libpcap folds constants, and refuses some that make no sense. */
	if (libpcap_rc) {
		filter_close(&f);
		return strstr(pcap_geterr(pcap), "rejects all") ||
				       strstr(pcap_geterr(pcap), "zero") ||
				       strstr(pcap_geterr(pcap), "shift")
			       ? 0
			       : (printf("FAIL '%s': only libpcap refuses it: %s\n", text,
					 pcap_geterr(pcap)),
				  1);
	}
	if (sonde_rc) {
		printf("FAIL '%s': only sonde refuses it, at byte %llu: %s\n", text,
		       (unsigned long long)diag.pos, diag.msg);
		pcap_freecode(&program);
		return 1;
	}
	for (int i = 0; i < PACKETS && !is_wrong; i++) {
		const struct frame *fr = &packets[i].frame;
		struct pcap_pkthdr h = { .caplen = fr->caplen, .len = fr->len };
		struct filter_packet p = { packets[i].views, fr->data, fr->caplen };
		bool a, b;

		if (is_known_difference(text, packets[i].views))
			continue;
		a = pcap_offline_filter(&program, &h, fr->data) != 0;
		b = filter_match(&f, &p);
		(*compared)++;
		*matched += b;
		if (a == b)
			continue;
		printf("FAIL '%s': libpcap answers %d, packet %d with %u (%u) bytes:", text, a, i,
		       fr->caplen, fr->len);
		for (uint32_t k = 0; k < fr->caplen; k++)
			printf("%s%02x", k % 4 ? "" : " ", fr->data[k]);
		printf("\n");
		is_wrong = 1;
	}
	pcap_freecode(&program);
	filter_close(&f);
	return is_wrong;
}

int main(int argc, char **argv)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
	int n = argc > 1 ? atoi(argv[1]) : 2000, failed = 0;
	unsigned long compared = 0, matched = 0;

	exprs_seed(argc > 2 ? strtoull(argv[2], NULL, 10) : 88172645463325252ull);
	for (int i = 0; i < PACKETS; i++)
		exprs_draw_packet(&packets[i]);
	for (int i = 0; i < n && failed < 10; i++) {
		char text[TEXT_MAX];

		exprs_draw_text(text, sizeof(text));
		failed += compare_filter(pcap, text, &compared, &matched);
	}
	pcap_close(pcap);
	printf("%lu answers compared, %lu matches\n", compared, matched);
	printf("%d passed, %d failed, 0 skipped\n", failed ? 0 : 1, failed);
	return failed != 0;
}
