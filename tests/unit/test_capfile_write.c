/* SPDX-License-Identifier: MIT */
/* Capture files that were written read back the same and have exactly the computed length. */
#define _GNU_SOURCE 1
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include "base/array.h"
#include "tests/unit/capfile_cases.h"

static const uint8_t bytes[70] = "seventy bytes of a packet, more or less";

/* Frames with different metadata. */
static const struct frame frames[] = {
	{ .data = bytes, .caplen = 64, .len = 1500, .time_ns = 1700000000123456789, .link = 1 },
	{ .data = bytes, .caplen = 61, .len = 61, .time_ns = 1, .link = 1, .dir = FRAME_IN },
	{ .data = bytes, .time_ns = UINT64_MAX, .link = 1, .dir = FRAME_OUT },
	{ .data = bytes, .caplen = 3, .len = 3, .link = 1, .verdict = FRAME_DROP },
	{ .data = bytes, .caplen = 2, .len = 2, .link = 1, .verdict = FRAME_PASS },
	{ .data = bytes, .caplen = 1, .len = 1, .link = 1, .pid = 1234, .comm = "curl" },
	{ .data = bytes, .caplen = 1, .len = 1, .link = 1, .pid = UINT32_MAX, .comm = "" },
	{ .data = bytes, .caplen = 1, .len = 1, .link = 1, .pid = 0, .comm = "x[7]" },
	{ .data = bytes,
	  .caplen = 9,
	  .len = 9,
	  .link = 1,
	  .dir = FRAME_IN,
	  .verdict = FRAME_DROP,
	  .pid = 1,
	  .comm = "15 bytes long.." },
	{ .data = bytes, .link = 1, .pid = 1, .comm = "a\\x41\n\x1b\xff\xc3\xa4]" },
	{ .data = bytes, .link = 1, .pid = 1, .comm = "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1" },
};
enum { FRAMES = ARRAY_LEN(frames) };

static const struct capfile_iface eth0 = { .name = "eth0", .link = 1, .snaplen = 64 };

/* Every capfile_put_*() appends as many bytes as its *_len() returns. */
static void check_len(const struct buf *b, size_t *before, size_t len)
{
	ck_assert_uint_eq(b->len - *before, len);
	ck_assert_uint_eq(len % 4, 0);
	*before = b->len;
}

static void put_all(struct buf *b, const char *app, const char *filter)
{
	struct capfile_stats st = { .start_ns = 5,
				    .end_ns = UINT64_MAX,
				    .received = 11,
				    .dropped_if = UINT64_MAX,
				    .dropped_os = 3 };
	size_t at = b->len;

	capfile_put_section(b, app);
	check_len(b, &at, capfile_section_len(app));
	capfile_put_iface(b, &eth0, filter);
	check_len(b, &at, capfile_iface_len(&eth0, filter));
	for (size_t i = 0; i < FRAMES; i++) {
		capfile_put_packet(b, &frames[i]);
		check_len(b, &at, capfile_packet_len(&frames[i]));
	}
	capfile_put_stats(b, 0, &st);
	check_len(b, &at, capfile_stats_len(&st));
}

static void log_frames(struct buf *want)
{
	for (size_t i = 0; i < FRAMES; i++)
		craft_log(want, &frames[i]);
	buf_char(want, '\0');
}

START_TEST(pcapng_reads_back_the_same)
{
	static const char *const filters[] = { NULL, "", "tcp", "tcp port 80", "udp1", "12345" };
	const char *filter = filters[_i];
	const struct capfile_iface *i;
	struct buf b = { 0 }, want = { 0 };
	struct reading r;

	put_all(&b, filter, filter);
	log_frames(&want);
	read_pieces(&r, b.data, b.len, SIZE_MAX);
	ck_assert_str_eq(r.c.diag.msg, "");
	ck_assert_str_eq(r.log.data, want.data);
	i = capfile_iface(&r.c, 0);
	ck_assert_str_eq(i->name, "eth0");
	ck_assert_uint_eq(i->snaplen, 64);
	ck_assert_uint_eq(i->tsresol, 9);
	ck_assert(i->counted);
	ck_assert_uint_eq(i->stats.start_ns, 5);
	ck_assert_uint_eq(i->stats.end_ns, UINT64_MAX);
	ck_assert_uint_eq(i->stats.received, 11);
	ck_assert_uint_eq(i->stats.dropped_if, UINT64_MAX);
	ck_assert_uint_eq(i->stats.dropped_os, 3);
	read_close(&r);
	buf_free(&b);
	buf_free(&want);
}
END_TEST

START_TEST(pcap_reads_back_the_same)
{
	struct buf b = { 0 }, want = { 0 };
	struct reading r;

	capfile_put_pcap(&b, 1, 0, _i);
	ck_assert_uint_eq(b.len, capfile_pcap_len());
	for (size_t i = 0; i < 3; i++) {
		struct frame f = frames[i];
		size_t before = b.len;

		capfile_put_record(&b, &f, _i);
		ck_assert_uint_eq(b.len - before, capfile_record_len(&f));
		f.dir = FRAME_DIR_UNKNOWN;
		f.time_ns -= _i ? 0 : f.time_ns % 1000;
		if (i == 2) /* more seconds than 32 bits hold */
			f.time_ns =
				UINT32_MAX * UINT64_C(1000000000) + (_i ? 709551615 : 709551000);
		craft_log(&want, &f);
	}
	buf_char(&want, '\0');
	read_pieces(&r, b.data, b.len, SIZE_MAX);
	ck_assert_str_eq(r.c.diag.msg, "");
	ck_assert_str_eq(r.log.data, want.data);
	ck_assert_uint_eq(capfile_iface(&r.c, 0)->snaplen, 262144);
	read_close(&r);
	buf_free(&b);
	buf_free(&want);
}
END_TEST

/* Texts of any length fit into an option and end with a whole character. */
START_TEST(long_texts_are_cut)
{
	char *text = malloc(70001);
	struct buf b = { 0 };
	struct reading r;

	memset(text, 'x', 70000);
	text[70000] = '\0';
	memcpy(text + CAPFILE_TEXT_MAX - 2, "\xe2\x82\xac", 3);
	put_all(&b, text, text);
	ck_assert_uint_eq(capfile_section_len(text), 28 + 4 + CAPFILE_TEXT_MAX + 4);
	read_pieces(&r, b.data, b.len, SIZE_MAX);
	ck_assert_int_eq(r.rc, 0);
	ck_assert_ptr_eq(memmem(b.data, b.len, "\xe2", 1), NULL);
	read_close(&r);
	buf_free(&b);
	free(text);
}
END_TEST

/* A packet that the reader would refuse is cut. */
START_TEST(long_packets_are_cut)
{
	uint8_t *data = calloc(1, CAPFILE_BLOCK_MAX + 1);
	struct frame f = { .data = data,
			   .caplen = CAPFILE_BLOCK_MAX + 1,
			   .len = CAPFILE_BLOCK_MAX + 1,
			   .pid = 1,
			   .comm = "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1",
			   .verdict = FRAME_DROP };
	struct buf b = { 0 };
	struct reading r;

	capfile_put_section(&b, NULL);
	capfile_put_iface(&b, &eth0, NULL);
	capfile_put_packet(&b, &f);
	read_pieces(&r, b.data, b.len, 100000);
	ck_assert_int_eq(r.rc, 0);
	ck_assert_uint_eq(r.n, 1);
	read_close(&r);
	buf_free(&b);
	free(data);
}
END_TEST

/* Comments that only resemble sonde's stay comments. */
static const struct {
	const char *text, *log;
} comments[] = {
	{ "process: curl[12]", "- curl[12]\n" },
	{ "process: [12]", "- [12]\n" },
	{ "process: a b[c][4294967295]", "- a b[c][4294967295]\n" },
	{ "process: 16 bytes are too long[1]", "- 16 bytes are to[1]\n" },
	{ "process: \\x41\\x4\\[1]", "- A\\x4\\[1]\n" },
	{ "process: curl[4294967296]", "- [0]\n# process: curl[4294967296]\n" },
	{ "process: curl[12345678901]", "- [0]\n# process: curl[12345678901]\n" },
	{ "process: curl[]", "- [0]\n# process: curl[]\n" },
	{ "process: curl[1", "- [0]\n# process: curl[1\n" },
	{ "process: curl1]", "- [0]\n# process: curl1]\n" },
	{ "process: 1]", "- [0]\n# process: 1]\n" },
	{ "process: ]", "- [0]\n# process: ]\n" },
	{ "process: ", "- [0]\n# process: \n" },
	{ "process", "- [0]\n# process\n" },
	{ "curl[12]", "- [0]\n# curl[12]\n" },
	{ "verdict: drop", "drop [0]\n" },
	{ "verdict: pass", "pass [0]\n" },
	{ "verdict: drop ", "- [0]\n# verdict: drop \n" },
	{ "verdict: ", "- [0]\n# verdict: \n" },
	{ "", "- [0]\n# \n" },
};

START_TEST(comments_are_parsed)
{
	struct craft c = { .big = true };
	struct reading r;

	craft_section(&c);
	craft_iface(&c, 1, 0);
	craft_end(&c);
	craft_packet(&c, 0, 0, bytes, 0, 0);
	craft_text(&c, 1, comments[_i].text);
	craft_end(&c);
	read_pieces(&r, c.b.data, c.b.len, SIZE_MAX);
	ck_assert_int_eq(r.rc, 0);
	ck_assert_str_eq(r.log.data + strlen("0 0 0/0 811c9dc5 1 - "), comments[_i].log);
	read_close(&r);
	buf_free(&c.b);
}
END_TEST

/* Verdicts written by other programs: the kind, then 64 bits. */
static const struct {
	uint8_t kind;
	int64_t action;
	const char *verdict;
} verdicts[] = {
	{ 2, 0, "drop" }, { 2, 1, "drop" }, { 2, 2, "pass" },      { 2, 4, "pass" }, { 2, 5, "-" },
	{ 1, 2, "drop" }, { 1, 0, "pass" }, { 1, -1, "pass" },     { 1, 4, "-" },    { 0, 1, "-" },
	{ 3, 1, "-" },    { 2, -1, "-" },   { 2, 1LL << 32, "-" },
};

START_TEST(verdicts_are_parsed)
{
	struct craft c = { .big = _i % 2 };
	char want[16];
	struct reading r;

	craft_section(&c);
	craft_iface(&c, 1, 0);
	craft_end(&c);
	craft_packet(&c, 0, 0, bytes, 0, 0);
	craft_16(&c, 7);
	craft_16(&c, 9);
	craft_num(&c, verdicts[_i].kind, 1);
	craft_64(&c, (uint64_t)verdicts[_i].action);
	buf_fill(&c.b, '\0', 3);
	craft_end(&c);
	read_pieces(&r, c.b.data, c.b.len, SIZE_MAX);
	ck_assert_int_eq(r.rc, 0);
	snprintf(want, sizeof(want), "%s [0]\n", verdicts[_i].verdict);
	ck_assert_str_eq(r.log.data + strlen("0 0 0/0 811c9dc5 1 - "), want);
	read_close(&r);
	buf_free(&c.b);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

TCase *capfile_write_cases(void)
{
	TCase *t = tcase_create("write");

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, pcapng_reads_back_the_same, 0, 6);
	tcase_add_loop_test(t, pcap_reads_back_the_same, 0, 2);
	tcase_add_test(t, long_texts_are_cut);
	tcase_add_test(t, long_packets_are_cut);
	tcase_add_loop_test(t, comments_are_parsed, 0, COUNT(comments));
	tcase_add_loop_test(t, verdicts_are_parsed, 0, COUNT(verdicts));
	return t;
}
