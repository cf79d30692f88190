/* SPDX-License-Identifier: MIT */
/* Packets as text: whole files compared with golden lines, and hostile packets. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "net/dissect/dissect.h"
#include "tests/lines/pcap.h"
#include "tests/unit/suites.h"

#define DATA "tests/data/lines/"

static struct dissect_state state;
static struct buf out;

static void init_state(void)
{
	memset(&state, 0, sizeof(state));
	buf_clear(&out);
}

static void free_output(void)
{
	buf_free(&out);
}

static const char *const families[] = { "tcps", "ours",    "udps",  "dnss",  "icmps", "nds",
					"ips",  "tunnels", "links", "sctps", "dhcps", "ntps",
					"sll",  "sll2",    "raw",   "null",  "loop",  "nano" };
enum { FAMILIES = ARRAY_LEN(families) };

/* The options of `lines -n`, `lines -tnev` and `lines -tqX`, whose output is in NAME.n, NAME.tnev
 * and NAME.tqX. */
static const struct {
	const char *suffix;
	struct dissect_opts o;
} goldens[] = {
	{ "n", { .numeric = true } },
	{ "tnev", { .time = DISSECT_NONE, .numeric = true, .link = true, .verbose = 1 } },
	{ "tqX", { .time = DISSECT_NONE, .quiet = true, .dump = DISSECT_HEX_ASCII } },
};
enum { GOLDENS = ARRAY_LEN(goldens) };

static void load_pcap(struct pcap_file *p, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), DATA "%s.pcap", name);
	ck_assert_msg(pcap_load(p, path), "%s", path);
}

START_TEST(matches_golden_lines)
{
	char path[128], line[1 << 16];
	struct pcap_file p;
	struct frame f;
	FILE *golden;
	size_t n = 0;

	snprintf(path, sizeof(path), DATA "%s.%s", families[_i / GOLDENS],
		 goldens[_i % GOLDENS].suffix);
	golden = fopen(path, "r");
	ck_assert_msg(golden != NULL, "%s", path);
	load_pcap(&p, families[_i / GOLDENS]);
	while (pcap_next(&p, &f))
		dissect_line(&out, &f, &goldens[_i % GOLDENS].o, &state);
	while (n < out.len && fgets(line, sizeof(line), golden)) {
		char *end = memchr(out.data + n, '\n', out.len - n);

		ck_assert_ptr_nonnull(end);
		*end = '\0';
		line[strcspn(line, "\n")] = '\0';
		ck_assert_str_eq(out.data + n, line);
		n = (size_t)(end - out.data) + 1;
	}
	ck_assert_uint_eq(n, out.len);
	ck_assert_ptr_null(fgets(line, sizeof(line), golden));
	fclose(golden);
	free(p.data);
}
END_TEST

/* Checks for one line of printable ASCII. One assertion for all, since libcheck writes a message
 * for each that passes, and this runs for tens of thousands of lines. */
static void check_line(void)
{
	size_t n = 0;

	while (n < out.len && out.data[n] >= 0x20 && out.data[n] < 0x7f)
		n++;
	ck_assert_msg(n < out.len && n + 1 == out.len && out.data[n] == '\n' &&
			      out.len <= DISSECT_LINE_MAX,
		      "at %zu of %zu: \"%.*s\"", n, out.len, (int)out.len, out.data);
}

/* Packets cut at every length, allocated exactly. */
START_TEST(truncated_packets_are_safe)
{
	static const struct dissect_opts opts[] = {
		{ .time = DISSECT_NONE },
		{ .numeric = true, .verbose = 3, .link = true, .time = DISSECT_DATE },
	};
	struct pcap_file p;
	struct frame f;

	load_pcap(&p, families[_i]);
	while (pcap_next(&p, &f)) {
		const uint8_t *whole = f.data;

		for (f.caplen = 0; f.caplen <= f.len && f.caplen < 300; f.caplen += UNIT_STRIDE) {
			uint8_t *own = malloc(f.caplen ? f.caplen : 1);

			memcpy(own, whole, f.caplen);
			f.data = own;
			for (int i = 0; i < 2; i++) {
				buf_clear(&out);
				dissect_line(&out, &f, &opts[i], &state);
				check_line();
			}
			free(own);
		}
	}
	free(p.data);
}
END_TEST

/* Ethernet, IPv4, UDP to port 9 with 2 bytes. */
static const uint8_t udp[] = { 2,   0,  0,   0, 0,    2,    2, 0,  0,  2,  0, 1,   8,   0,  0x45,
			       0,   0,  30,  0, 0,    0,    0, 64, 17, 0,  0, 192, 0,   2,  1,
			       198, 51, 100, 2, 0x80, 0xe8, 0, 9,  0,  10, 0, 0,   'h', 'i' };

static struct frame udp_frame(void)
{
	return (struct frame){ .data = udp,
			       .caplen = sizeof(udp),
			       .len = sizeof(udp),
			       .link = FRAME_ETHERNET,
			       .time_ns = UINT64_C(1709210096123456789) }; /* a leap day */
}

static const char *format_frame(const struct frame *f, const struct dissect_opts *o)
{
	buf_clear(&out);
	dissect_line(&out, f, o, &state);
	buf_char(&out, '\0');
	return out.data;
}

#define UDP "IP 192.0.2.1.33000 > 198.51.100.2.9: UDP, length 2\n"

static const struct {
	struct dissect_opts o;
	const char *first, *second; /* one and a half seconds later */
} times[] = {
	{ { .time = DISSECT_CLOCK }, "12:34:56.123456 ", "12:34:57.623456 " },
	{ { .time = DISSECT_CLOCK, .nanos = true }, "12:34:56.123456789 ", "12:34:57.623456789 " },
	{ { .time = DISSECT_CLOCK, .utc_offset = -45300 }, "23:59:56.123456 ", "23:59:57.623456 " },
	{ { .time = DISSECT_NONE }, "", "" },
	{ { .time = DISSECT_EPOCH }, "1709210096.123456 ", "1709210097.623456 " },
	{ { .time = DISSECT_DELTA }, " 00:00:00.000000 ", " 00:00:01.500000 " },
	{ { .time = DISSECT_FIRST }, " 00:00:00.000000 ", " 00:00:01.500000 " },
	{ { .time = DISSECT_DATE }, "2024-02-29 12:34:56.123456 ", "2024-02-29 12:34:57.623456 " },
	{ { .time = DISSECT_DATE, .utc_offset = 50400 },
	  "2024-03-01 02:34:56.123456 ",
	  "2024-03-01 02:34:57.623456 " },
};

START_TEST(times_are_printed)
{
	struct dissect_opts o = times[_i].o;
	struct frame f = udp_frame();
	char want[128];

	o.numeric = true;
	snprintf(want, sizeof(want), "%s" UDP, times[_i].first);
	ck_assert_str_eq(format_frame(&f, &o), want);
	f.time_ns += 1500000000;
	snprintf(want, sizeof(want), "%s" UDP, times[_i].second);
	ck_assert_str_eq(format_frame(&f, &o), want);
}
END_TEST

START_TEST(metadata_is_printed)
{
	static const char *const names[] = { "lo", "enp0s31f6\x1b" };
	struct dissect_opts o = {
		.time = DISSECT_NONE, .numeric = true, .ifaces = names, .ifaces_n = 2
	};
	struct frame f = udp_frame();

	ck_assert_str_eq(format_frame(&f, &o), "lo    ?   " UDP);
	f.dir = FRAME_IN;
	ck_assert_str_eq(format_frame(&f, &o), "lo    In  " UDP);
	f.iface = 1;
	f.dir = FRAME_OUT;
	f.verdict = FRAME_DROP;
	ck_assert_str_eq(format_frame(&f, &o), "enp0s31f6^[ Out DROP " UDP);
	o.dropped = "\x1b[31mDROP\x1b[m ";
	ck_assert_str_eq(format_frame(&f, &o), "enp0s31f6^[ Out \x1b[31mDROP\x1b[m " UDP);
	f.iface = 2;
	f.verdict = FRAME_PASS;
	f.pid = 77;
	memcpy(f.comm, "a\nb", 4);
	ck_assert_str_eq(format_frame(&f, &o), "?     Out [a^Jb/77] " UDP);
	memcpy(f.comm, "abcdefghijklmnop", sizeof(f.comm)); /* not terminated */
	f.pid = 0;
	ck_assert_str_eq(format_frame(&f, &o), "?     Out [abcdefghijklmnop] " UDP);
}
END_TEST

START_TEST(ports_have_names)
{
	struct dissect_opts o = { .time = DISSECT_NONE };
	struct frame f = udp_frame();

	ck_assert_str_eq(format_frame(&f, &o),
			 "IP 192.0.2.1.33000 > 198.51.100.2.discard: UDP, length 2\n");
}
END_TEST

START_TEST(dumps_start_with_a_tab)
{
	struct dissect_opts o = { .time = DISSECT_NONE, .numeric = true, .dump = DISSECT_ASCII };
	struct frame f = udp_frame();
	uint8_t copy[sizeof(udp)];

	/* the UDP length is 10, which is a newline */
	ck_assert_str_eq(format_frame(&f, &o), UDP "\tE.......@........3d......\n\t..hi\n");
	memcpy(copy, udp, sizeof(udp));
	copy[sizeof(udp) - 2] = '\n';
	copy[sizeof(udp) - 1] = 0x1b;
	f.data = copy;
	ck_assert_ptr_nonnull(strstr(format_frame(&f, &o), "\n\t..\n\t.\n"));
	o.dump = DISSECT_HEX;
	ck_assert_str_eq(format_frame(&f, &o),
			 UDP "\t0x0000:  4500 001e 0000 0000 4011 0000 c000 0201\n"
			     "\t0x0010:  c633 6402 80e8 0009 000a 0000 0a1b\n");
}
END_TEST

/* A DNS answer with 64 texts of escaped bytes. */
START_TEST(long_lines_are_marked)
{
	static const struct dissect_opts o = { .time = DISSECT_NONE, .numeric = true };
	static uint8_t big[16384];
	struct frame f = udp_frame();
	size_t at = sizeof(udp) - 2;

	memcpy(big, udp, sizeof(udp));
	memset(big + at, 0, 12);
	big[at + 2] = 0x80;
	big[at + 7] = 64;
	for (at += 12; at < sizeof(big) - 11 - 201; at += 201) {
		memcpy(big + at, "\0\0\x10\0\1\0\0\0\0\0\xc9\xc8", 12);
		memset(big + at + 12, 0x80, 200);
		at += 11;
	}
	big[16] = big[38] = (uint8_t)((at - 14) >> 8);
	big[17] = (uint8_t)(at - 14);
	big[38] = (uint8_t)((at - 34) >> 8);
	big[39] = (uint8_t)(at - 34);
	big[36] = 0;
	big[37] = 53;
	f.data = big;
	f.caplen = f.len = (uint32_t)at;
	buf_clear(&out);
	dissect_line(&out, &f, &o, &state);
	check_line();
	ck_assert_uint_gt(out.len, DISSECT_LINE_MAX - 16);
	ck_assert(!memcmp(out.data + out.len - 4, "...\n", 4));
}
END_TEST

/* More connections than the table holds: an evicted one starts again. */
START_TEST(connections_are_bounded)
{
	static const struct dissect_opts o = { .time = DISSECT_NONE, .numeric = true };
	uint8_t tcp[54] = { [12] = 8, [14] = 0x45, [17] = 40, [23] = 6, [46] = 0x50, [47] = 0x10 };
	struct frame f = { .data = tcp, .caplen = 54, .len = 54, .link = FRAME_ETHERNET };

	for (uint32_t i = 0; i < 4 * DISSECT_CONN_SETS * DISSECT_CONN_WAYS; i++) {
		tcp[27] = (uint8_t)(i >> 16);
		tcp[28] = (uint8_t)(i >> 8);
		tcp[29] = (uint8_t)i;
		tcp[45] = 9; /* ack 9 is absolute at first */
		ck_assert_ptr_nonnull(strstr(format_frame(&f, &o), "ack 9,"));
		ck_assert_ptr_nonnull(strstr(format_frame(&f, &o), "ack 1,"));
	}
	tcp[27] = tcp[28] = tcp[29] = 0;
	ck_assert_ptr_nonnull(strstr(format_frame(&f, &o), "ack 9,"));
}
END_TEST

Suite *dissect_suite(void)
{
	Suite *s = suite_create("dissect");
	TCase *t = tcase_create("dissect");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, init_state, free_output);
	tcase_add_loop_test(t, matches_golden_lines, 0, FAMILIES * GOLDENS);
	tcase_add_loop_test(t, truncated_packets_are_safe, 0, FAMILIES);
	tcase_add_loop_test(t, times_are_printed, 0, ARRAY_LEN(times));
	tcase_add_test(t, metadata_is_printed);
	tcase_add_test(t, ports_have_names);
	tcase_add_test(t, dumps_start_with_a_tab);
	tcase_add_test(t, long_lines_are_marked);
	tcase_add_test(t, connections_are_bounded);
	suite_add_tcase(s, t);
	return s;
}
