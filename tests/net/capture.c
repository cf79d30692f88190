/* SPDX-License-Identifier: MIT */
/* Scenarios of capture files: reading, filtering, writing, damage. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/array.h"
#include "filter/filter.h"
#include "net/capfile/capfile.h"
#include "tests/lib/exprs.h"
#include "tests/net/net.h"

enum { PACKETS = 200 };

static struct sonde a;
static struct exprs_packet packets[PACKETS];
static int input; /* sonde's standard input */

static void read_input(void)
{
	lseek(input, 0, SEEK_SET);
	dup2(input, STDIN_FILENO);
}

#define RUN(...)                                                                                 \
	(sonde_start(&a, read_input,                                                             \
		     (const char *const[]){ "sonde", "capture", "-r", "-", __VA_ARGS__, NULL }), \
	 sonde_wait(&a))

/* Makes a pcapng file of random packets, truncated to len bytes. */
static void make_input(size_t len)
{
	struct capfile_iface iface = { .name = "eth0", .link = FRAME_ETHERNET };
	struct buf b = { 0 };

	exprs_seed(42);
	capfile_put_section(&b, NULL);
	capfile_put_iface(&b, &iface, NULL);
	for (int i = 0; i < PACKETS; i++) {
		exprs_draw_packet(&packets[i]);
		capfile_put_packet(&b, &packets[i].frame);
	}
	input = memfd_create("input", MFD_CLOEXEC);
	if (len && len < b.len)
		b.len = len;
	CHECK(input >= 0 && !buf_write(&b, input), "cannot write: %s", strerror(errno));
	buf_free(&b);
}

static unsigned int count_matches(const char *text)
{
	struct diag diag = { 0 };
	struct filter f = { 0 };
	unsigned int n = 0;

	CHECK(!filter_parse(&f, text, NULL, &diag), "'%s': %s", text, diag.msg);
	for (int i = 0; i < PACKETS; i++) {
		struct filter_packet p = { packets[i].views, packets[i].data,
					   packets[i].frame.caplen };

		n += filter_match(&f, &p);
	}
	filter_close(&f);
	return n;
}

/* Prints as many lines, JSON rows and packets as the filter matches. */
TEST(capture_filters, "capture_filters", 0, 30)
{
	static const char *const texts[] = { "tcp", "port 80 or 443", "arp or icmp6",
					     "tcp[13] & 2 != 0" };

	make_input(0);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		unsigned int want = count_matches(texts[i]);

		CHECK(want > 1 && want < PACKETS, "'%s' matches too few or all packets: %u",
		      texts[i], want);
		CHECK(!RUN("-n", texts[i]), "%s", a.err);
		CHECK(lines_of(a.out) == want, "'%s': %u lines, expected %u", texts[i],
		      lines_of(a.out), want);
		CHECK(!RUN("--json", texts[i]), "%s", a.err);
		CHECK(lines_of(a.out) == want && strstr(a.out, "\"interface\":\"eth0\""), "%s",
		      a.out);
	}
	CHECK(!RUN("-n", "-c", "3") && lines_of(a.out) == 3, "%s%s", a.out, a.err);
}

/* Prints all packets up to the damage and one line with its position; exits with 1. */
TEST(capture_damaged, "capture_damaged", 0, 30)
{
	make_input(5000);
	CHECK(RUN("-n") == 1, "exit code %d: %s", a.rc, a.err);
	CHECK(lines_of(a.out) > 10 && lines_of(a.out) < PACKETS, "%s", a.out);
	CHECK(lines_of(a.err) == 1 && strstr(a.err, "standard input: cut short") &&
		      strstr(a.err, "at byte 5000"),
	      "%s", a.err);
}

/* A syntax error is shown at its position, before anything is read. */
TEST(capture_mistakes, "capture_mistakes", 0, 30)
{
	make_input(0);
	CHECK(RUN("tcp", "prot", "80") == 2, "exit code %d: %s", a.rc, a.err);
	CHECK(strstr(a.err, "'prot'") && strstr(a.err, "  tcp prot 80\n      ^\n"), "%s", a.err);
	CHECK(!a.len[0], "%s", a.out);
	CHECK(!SONDE_RUN(&a, "capture", "-d", "tcp", "port", "80"), "%s", a.err);
	CHECK(strstr(a.out, "exit\n") && strstr(a.out, "0x50"), "%s", a.out);
}
