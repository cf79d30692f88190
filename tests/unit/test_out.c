/* SPDX-License-Identifier: MIT */
/* One table of records with hostile names in every format, compared byte for byte. */
#define _GNU_SOURCE 1
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "base/array.h"
#include "base/clock.h"
#include "out/color.h"
#include "out/sink.h"
#include "out/textfile.h"
#include "tests/unit/suites.h"

struct rec {
	const char *device, *rule, *note;
	uint64_t port, packets, bytes, rtt;
	double rate, loss;
	bool up;
};

static const struct col cols[] = {
	{ "device", "DEVICE", "device", .role = COL_KEY, COL_AT_STR(struct rec, device) },
	{ "rule", "RULE", "rule", .role = COL_KEY, COL_AT_STR(struct rec, rule) },
	{ "port", NULL, "port", .role = COL_KEY, COL_AT_U64(struct rec, port) },
	{ "packets", "PACKETS", "packets_total", "Packets.", .role = COL_COUNTER,
	  COL_AT_U64(struct rec, packets) },
	{ "bytes", "BYTES", "bytes_total", "A \\ and\na \"line\".", .role = COL_COUNTER,
	  .unit = COL_BYTES, COL_AT_U64(struct rec, bytes) },
	{ "rate", "RATE", NULL, .role = COL_GAUGE, .unit = COL_RATE, COL_AT_F64(struct rec, rate) },
	{ "loss", "LOSS", "loss_ratio", .role = COL_GAUGE, COL_AT_F64(struct rec, loss) },
	{ "rtt_seconds", "RTT", "rtt_seconds", "Round trip.", .role = COL_GAUGE, .unit = COL_NS,
	  COL_AT_U64(struct rec, rtt) },
	{ "up", "UP", "up", "Up.", .role = COL_GAUGE, COL_AT_BOOL(struct rec, up) },
	{ "note", "NOTE", "note", .role = COL_INFO, COL_AT_STR(struct rec, note) },
};

static const struct schema schema = { "test", cols, ARRAY_LEN(cols), 0 };

#define HOSTILE "a\"b\n\x1b[31m\\\xff\xc2\x9b"

static const struct rec recs[] = {
	{ "eth0", NULL, "ok", 80, 12, 1536, 1500, 950, 0.25, true },
	{ HOSTILE, NULL, NULL, 443, UINT64_MAX - 1, 0, 1, 35123456, NAN, false },
	{ "\xe7\xb6\xb2", NULL, "a\tb", 0, 0, 999, 2500000000, 0.5, -1.0 / 3, true },
};

static struct sink *sink;
static int file;
static char text[8192];

static void open_sink(enum sink_format format, bool screen)
{
	file = memfd_create("out", 0);
	ck_assert_int_ge(file, 0);
	sink = sink_new(format, file, screen);
	ck_assert_ptr_nonnull(sink);
}

static const char *close_sink(void)
{
	ssize_t n = pread(file, text, sizeof(text) - 1, 0);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	sink_free(sink);
	close(file);
	return text;
}

static void write_table(const struct rec *r, size_t n, const char *title)
{
	ck_assert_int_eq(sink_begin(sink, &schema, title), 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(sink_row(sink, &r[i]), 0);
	ck_assert_int_eq(sink_end(sink), 0);
}

START_TEST(text_table)
{
	open_sink(SINK_TEXT, false);
	write_table(recs, 3, "a title\x1b[2J");
	ck_assert_int_eq(sink_line(sink, "%s", "lost 0\x1b\xff"), 0);
	ck_assert_str_eq(
		close_sink(),
		"a title?[2J\n"
		"DEVICE                     PACKETS   BYTES   RATE   LOSS    RTT  UP   NOTE\n"
		"eth0                            12  1.5KiB    950   0.25  1.5us  yes  ok\n"
		"a\"b??[31m\\\xef\xbf\xbd?  "
		"18446744073709551614      0B  35.1M      -    1ns  no   -\n"
		"\xe7\xb6\xb2                               0    999B    0.5  -0.33   2.5s  yes  "
		"a?b\n"
		"lost 0?\xef\xbf\xbd\n");
}
END_TEST

START_TEST(text_has_headings_without_rows)
{
	open_sink(SINK_TEXT, false);
	write_table(NULL, 0, "none");
	write_table(NULL, 0, NULL);
	ck_assert_str_eq(close_sink(), "none\n"
				       "DEVICE  RULE  PACKETS  BYTES  RATE  LOSS  RTT  UP  NOTE\n"
				       "DEVICE  RULE  PACKETS  BYTES  RATE  LOSS  RTT  UP  NOTE\n");
}
END_TEST

START_TEST(json_has_a_line_per_record)
{
	open_sink(SINK_JSON, false);
	write_table(recs, 3, "not shown");
	ck_assert_int_eq(sink_line(sink, "not shown"), 0);
	ck_assert_str_eq(
		close_sink(),
		"{\"record\":\"test\",\"device\":\"eth0\",\"rule\":null,\"port\":80,\"packets\":12,"
		"\"bytes\":1536,\"rate\":950,\"loss\":0.25,\"rtt_seconds\":0.0000015,\"up\":true,"
		"\"note\":\"ok\"}\n"
		"{\"record\":\"test\",\"device\":\"a\\\"b\\n\\u001b[31m\\\\\xef\xbf\xbd\\u009b\","
		"\"rule\":null,\"port\":443,\"packets\":18446744073709551614,\"bytes\":0,"
		"\"rate\":35123456,\"loss\":null,\"rtt_seconds\":0.000000001,\"up\":false,"
		"\"note\":null}\n"
		"{\"record\":\"test\",\"device\":\"\xe7\xb6\xb2\",\"rule\":null,\"port\":0,"
		"\"packets\":0,\"bytes\":999,\"rate\":0.5,\"loss\":-0.333,\"rtt_seconds\":2.5,"
		"\"up\":true,\"note\":\"a\\tb\"}\n");
}
END_TEST

START_TEST(json_numbers_are_exact)
{
	static const struct {
		double v;
		const char *text;
	} numbers[] = { { 1e21, "1000000000000000000000" },
			{ 0.0004, "0" },
			{ -0.0004, "0" },
			{ 0.0006, "0.001" },
			{ 100, "100" },
			{ -12.5, "-12.5" },
			{ 0.1 + 0.2, "0.3" },
			{ INFINITY, "null" },
			{ -0.0, "0" } };
	static const struct col col[] = { { "v", .role = COL_GAUGE,
					    COL_AT_F64(struct rec, rate) } };
	static const struct schema one = { "one", col, 1, 0 };
	struct rec r = { .rate = -1.7976931348623157e308 };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		char line[64];

		open_sink(SINK_JSON, false);
		sink_begin(sink, &one, NULL);
		sink_row(sink, &(struct rec){ .rate = numbers[i].v });
		sink_end(sink);
		snprintf(line, sizeof(line), "{\"record\":\"one\",\"v\":%s}\n", numbers[i].text);
		ck_assert_str_eq(close_sink(), line);
	}
	open_sink(SINK_JSON, false);
	sink_begin(sink, &one, NULL);
	sink_row(sink, &r);
	sink_end(sink);
	ck_assert_uint_eq(strlen(close_sink()), strlen("{\"record\":\"one\",\"v\":-}\n") + 309);
}
END_TEST

#define HOSTILE_LABELS \
	"{device=\"a\\\"b\\n\xef\xbf\xbd[31m\\\\\xef\xbf\xbd\xef\xbf\xbd\",port=\"443\"}"
#define ETH0_LABELS "{device=\"eth0\",port=\"80\"}"

static const char exposition[] = "# HELP sonde_packets_total Packets.\n"
				 "# TYPE sonde_packets_total counter\n"
				 "sonde_packets_total" ETH0_LABELS " 12\n"
				 "sonde_packets_total" HOSTILE_LABELS " 18446744073709551614\n"
				 "# HELP sonde_bytes_total A \\\\ and\\na \"line\".\n"
				 "# TYPE sonde_bytes_total counter\n"
				 "sonde_bytes_total" ETH0_LABELS " 1536\n"
				 "sonde_bytes_total" HOSTILE_LABELS " 0\n"
				 "# TYPE sonde_loss_ratio gauge\n"
				 "sonde_loss_ratio" ETH0_LABELS " 0.25\n"
				 "# HELP sonde_rtt_seconds Round trip.\n"
				 "# TYPE sonde_rtt_seconds gauge\n"
				 "sonde_rtt_seconds" ETH0_LABELS " 0.0000015\n"
				 "sonde_rtt_seconds" HOSTILE_LABELS " 0.000000001\n"
				 "# HELP sonde_up Up.\n"
				 "# TYPE sonde_up gauge\n"
				 "sonde_up" ETH0_LABELS " 1\n"
				 "sonde_up" HOSTILE_LABELS " 0\n";

struct busy {
	const char *source;
	double rate;
};
struct lists {
	uint64_t time, unknown;
	double wait;
	struct col_list names, ids, busy, none;
};

static const struct col busy_cols[] = {
	{ "source", .role = COL_KEY, COL_AT_STR(struct busy, source) },
	{ "packets_per_second", .role = COL_GAUGE, COL_AT_F64(struct busy, rate) },
};
static const struct schema busy_schema = { NULL, busy_cols, 2, 0 };
static const struct col list_cols[] = {
	{ "time", "TIME", .role = COL_INFO, COL_AT_TIME(struct lists, time) },
	{ "pid", "PID", "pid", .role = COL_KEY, COL_AT_U64(struct lists, unknown) },
	{ "wait_seconds", "WAIT", "wait_seconds", .role = COL_GAUGE, .unit = COL_NS,
	  COL_AT_F64(struct lists, wait) },
	{ "names", "NAMES", .role = COL_INFO, COL_AT_STRS(struct lists, names) },
	{ "ids", "IDS", .role = COL_INFO, COL_AT_U64S(struct lists, ids) },
	{ "busy", .rows = &busy_schema, .role = COL_INFO, COL_AT_TABLE(struct lists, busy) },
	{ "none", "NONE", .role = COL_INFO, COL_AT_STRS(struct lists, none) },
	{ NULL, "ONLY", .role = COL_INFO, COL_AT_U64(struct lists, unknown) },
};
static const struct schema list_schema = { "lists", list_cols, 8, 0 };

/* A record with every kind of list, a time and unknown values. */
static const char *print_lists(enum sink_format format)
{
	static const char *const names[] = { "a\"", "b" };
	static const uint64_t ids[] = { 7, 0, UINT64_MAX };
	static const struct busy busy[] = { { "192.0.2.1", 4 }, { NULL, NAN } };
	const struct lists r = {
		.time = UINT64_C(1795000000000000007),
		.unknown = COL_UNKNOWN,
		.wait = 1.5e6,
		.names = { names, 2, 0 },
		.ids = { ids, 3, 0 },
		.busy = { busy, 2, sizeof(*busy) },
	};
	const struct lists empty = { .unknown = col_known(0),
				     .wait = NAN,
				     .names = { names, 0, 0 } };

	open_sink(format, false);
	ck_assert_int_eq(sink_begin(sink, &list_schema, NULL), 0);
	ck_assert_int_eq(sink_row(sink, &r), 0);
	ck_assert_int_eq(sink_row(sink, &empty), 0);
	ck_assert_int_eq(sink_end(sink), 0);
	return close_sink();
}

START_TEST(lists_times_and_unknowns_are_printed)
{
	ck_assert_str_eq(
		print_lists(SINK_JSON),
		"{\"record\":\"lists\",\"time\":\"2026-11-18T11:06:40.000000007Z\",\"pid\":null,"
		"\"wait_seconds\":0.0015,\"names\":[\"a\\\"\",\"b\"],"
		"\"ids\":[7,0,18446744073709551615],"
		"\"busy\":[{\"source\":\"192.0.2.1\",\"packets_per_second\":4},"
		"{\"source\":null,\"packets_per_second\":null}],\"none\":null}\n"
		"{\"record\":\"lists\",\"time\":null,\"pid\":null,\"wait_seconds\":null,"
		"\"names\":[],\"ids\":null,\"busy\":null,\"none\":null}\n");
	ck_assert_str_eq(print_lists(SINK_TEXT),
			 "TIME                            PID   WAIT  NAMES  "
			 "IDS                       ONLY\n"
			 "2026-11-18T11:06:40.000000007Z    -  1.5ms  a\",b   "
			 "7,0,18446744073709551615     -\n"
			 "-                                 -      -  -      "
			 "-                            -\n");
	ck_assert_str_eq(print_lists(SINK_PROM), "# TYPE sonde_wait_seconds gauge\n"
						 "sonde_wait_seconds 0.0015\n");
}
END_TEST

START_TEST(times_are_rfc3339)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000000000Z" },
		{ UINT64_C(951782400) * 1000000000 - 1, "2000-02-28T23:59:59.999999999Z" },
		{ UINT64_C(951782400) * 1000000000, "2000-02-29T00:00:00.000000000Z" },
		{ UINT64_MAX, "2554-07-21T23:34:33.709551615Z" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char got[CLOCK_RFC3339_LEN];

		clock_rfc3339(cases[i].ns, got);
		ck_assert_str_eq(got, cases[i].text);
	}
}
END_TEST

/* A file is replaced atomically. A failure keeps the old one and leaves no other file. */
START_TEST(files_are_replaced_whole)
{
	char dir[] = "/tmp/sonde-out-XXXXXX", path[64], got[16] = "";
	struct textfile f = { 0 };
	struct buf b = { 0 };
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/metrics.prom", dir);
	ck_assert_int_eq(textfile_open(&f, path), 0);
	buf_str(&b, "one\n");
	ck_assert_int_eq(textfile_write(&f, &b), 0);
	buf_clear(&b);
	buf_str(&b, "2\n");
	ck_assert_int_eq(textfile_write(&f, &b), 0);
	b.nomem = true;
	ck_assert_int_eq(textfile_write(&f, &b), -ENOMEM);
	fd = open(path, O_RDONLY);
	ck_assert_int_eq(read(fd, got, sizeof(got)), 2);
	ck_assert_str_eq(got, "2\n");
	close(fd);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0); /* it is empty: no temporary file is left */
	b.nomem = false;
	ck_assert_int_ne(textfile_write(&f, &b), 0);
	textfile_close(&f);
	ck_assert_int_eq(textfile_open(&f, "/nowhere/at/all"), -ENOENT);
	ck_assert_int_eq(textfile_open(&f, "/tmp/"), -EISDIR);
	buf_free(&b);
}
END_TEST

/* Colours are only for a terminal that supports them, never for a file. */
START_TEST(files_have_no_colors)
{
	int fd = memfd_create("out", 0);

	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	ck_assert(!color_enabled(fd));
	close(fd);
}
END_TEST

START_TEST(prom_exposition)
{
	open_sink(SINK_PROM, false);
	write_table(recs, 2, "not shown");
	ck_assert_int_eq(sink_line(sink, "not shown"), 0);
	ck_assert_str_eq(close_sink(), exposition);
}
END_TEST

START_TEST(prom_tables_are_complete)
{
	size_t len = strlen(exposition);

	open_sink(SINK_PROM, false);
	write_table(recs, 2, NULL);
	write_table(NULL, 0, NULL);
	write_table(recs, 2, NULL);
	close_sink();
	ck_assert_uint_eq(strlen(text), 2 * len);
	ck_assert_str_eq(text + len, exposition);
}
END_TEST

struct sizes {
	const char *name;
	int64_t change;
	struct col_histogram wait, length;
};

static const struct col size_cols[] = {
	{ "name", "NAME", "name", .role = COL_KEY, COL_AT_STR(struct sizes, name) },
	{ "change", "CHANGE", "change", .role = COL_GAUGE, COL_AT_S64(struct sizes, change) },
	{ .metric = "wait_seconds",
	  .help = "Wait.",
	  .role = COL_COUNTER,
	  .unit = COL_NS,
	  COL_AT_HISTOGRAM(struct sizes, wait) },
	{ .metric = "length_bytes", .role = COL_COUNTER, COL_AT_HISTOGRAM(struct sizes, length) },
};

static const char *print_sizes(enum sink_format format)
{
	static const uint64_t counts[] = { 3, 0, 4 }, below[] = { 1024, UINT64_C(2000000000) };
	static const struct schema sizes = SCHEMA("sizes", size_cols);
	const struct sizes rows[] = {
		{ "a\"", -5, { counts, below, 3, UINT64_C(90000000001) }, { counts, below, 2, 7 } },
		{ "b", INT64_MAX, { counts, below, 1, 0 }, { 0 } },
		{ NULL, COL_S64_UNKNOWN, { 0 }, { counts, below, 1, 5 } },
	};

	open_sink(format, false);
	ck_assert_int_eq(sink_begin(sink, &sizes, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_int_eq(sink_row(sink, &rows[i]), 0);
	ck_assert_int_eq(sink_end(sink), 0);
	return close_sink();
}

/* Bins are cumulative with the labels of any sample. Other formats do not show histograms. */
START_TEST(histograms_and_signed_numbers)
{
	ck_assert_str_eq(print_sizes(SINK_PROM),
			 "# TYPE sonde_change gauge\n"
			 "sonde_change{name=\"a\\\"\"} -5\n"
			 "sonde_change{name=\"b\"} 9223372036854775807\n"
			 "# HELP sonde_wait_seconds Wait.\n"
			 "# TYPE sonde_wait_seconds histogram\n"
			 "sonde_wait_seconds_bucket{name=\"a\\\"\",le=\"0.000001024\"} 3\n"
			 "sonde_wait_seconds_bucket{name=\"a\\\"\",le=\"2\"} 3\n"
			 "sonde_wait_seconds_bucket{name=\"a\\\"\",le=\"+Inf\"} 7\n"
			 "sonde_wait_seconds_sum{name=\"a\\\"\"} 90.000000001\n"
			 "sonde_wait_seconds_count{name=\"a\\\"\"} 7\n"
			 "sonde_wait_seconds_bucket{name=\"b\",le=\"+Inf\"} 3\n"
			 "sonde_wait_seconds_sum{name=\"b\"} 0\n"
			 "sonde_wait_seconds_count{name=\"b\"} 3\n"
			 "# TYPE sonde_length_bytes histogram\n"
			 "sonde_length_bytes_bucket{name=\"a\\\"\",le=\"1024\"} 3\n"
			 "sonde_length_bytes_bucket{name=\"a\\\"\",le=\"+Inf\"} 3\n"
			 "sonde_length_bytes_sum{name=\"a\\\"\"} 7\n"
			 "sonde_length_bytes_count{name=\"a\\\"\"} 3\n"
			 "sonde_length_bytes_bucket{le=\"+Inf\"} 3\n"
			 "sonde_length_bytes_sum 5\n"
			 "sonde_length_bytes_count 3\n");
	ck_assert_str_eq(print_sizes(SINK_JSON),
			 "{\"record\":\"sizes\",\"name\":\"a\\\"\",\"change\":-5}\n"
			 "{\"record\":\"sizes\",\"name\":\"b\",\"change\":9223372036854775807}\n"
			 "{\"record\":\"sizes\",\"name\":null,\"change\":null}\n");
	ck_assert_str_eq(print_sizes(SINK_TEXT), "NAME               CHANGE\n"
						 "a\"                     -5\n"
						 "b     9223372036854775807\n"
						 "-                       -\n");
}
END_TEST

/* Several record kinds share one table of columns. */
START_TEST(kinds_share_columns)
{
	static const struct schema first = { "first", cols, 10, 1 | 1 << 3 };
	static const struct schema last = { "last", cols, 10, 1 << 9 };
	const struct rec r = { .device = "eth0", .packets = 1, .note = "n" };

	open_sink(SINK_JSON, false);
	ck_assert_int_eq(sink_record(sink, &first, &r), 0);
	ck_assert_int_eq(sink_record(sink, &last, &r), 0);
	ck_assert_str_eq(close_sink(), "{\"record\":\"first\",\"device\":\"eth0\",\"packets\":1}\n"
				       "{\"record\":\"last\",\"note\":\"n\"}\n");
}
END_TEST

START_TEST(prom_labels_are_optional)
{
	static const struct col col[] = {
		{ "key", NULL, "key", .role = COL_KEY, COL_AT_STR(struct rec, rule) },
		{ "rate", NULL, "rate", .role = COL_GAUGE, COL_AT_F64(struct rec, rate) },
		{ "loss", NULL, "wait_seconds", .role = COL_GAUGE, .unit = COL_NS,
		  COL_AT_F64(struct rec, loss) },
		{ "bytes", NULL, "time_seconds_total", .role = COL_COUNTER, .unit = COL_NS,
		  COL_AT_U64(struct rec, bytes) },
	};
	static const struct schema few = { "few", col, 4, 0 };
	struct rec r = { .rate = 0.1, .loss = -INFINITY, .bytes = UINT64_MAX - 1 };

	open_sink(SINK_PROM, false);
	ck_assert_int_eq(sink_begin(sink, &few, NULL), 0);
	ck_assert_int_eq(sink_row(sink, &r), 0);
	ck_assert_int_eq(sink_end(sink), 0);
	ck_assert_str_eq(close_sink(), "# TYPE sonde_rate gauge\n"
				       "sonde_rate 0.1\n"
				       "# TYPE sonde_wait_seconds gauge\n"
				       "sonde_wait_seconds -Inf\n"
				       "# TYPE sonde_time_seconds_total counter\n"
				       "sonde_time_seconds_total 18446744073.709551614\n");
}
END_TEST

START_TEST(strings_are_copied)
{
	char name[] = "before";
	struct rec r = { .device = name };

	for (int format = 0; sink_formats[format]; format++) {
		strcpy(name, "before");
		open_sink((enum sink_format)format, false);
		ck_assert_int_eq(sink_begin(sink, &schema, NULL), 0);
		ck_assert_int_eq(sink_row(sink, &r), 0);
		strcpy(name, "after");
		ck_assert_int_eq(sink_end(sink), 0);
		ck_assert_ptr_nonnull(strstr(close_sink(), "before"));
		ck_assert_ptr_null(strstr(text, "after"));
	}
}
END_TEST

START_TEST(wrong_order_and_broken_pipes_are_errors)
{
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	for (int format = 0; sink_formats[format]; format++) {
		ck_assert_int_eq(pipe(p), 0);
		sink = sink_new((enum sink_format)format, p[1], false);
		ck_assert_int_eq(sink_row(sink, &recs[0]), -EINVAL);
		ck_assert_int_eq(sink_end(sink), -EINVAL);
		write_table(recs, 1, NULL);
		ck_assert_int_eq(sink_begin(sink, &schema, NULL), 0);
		ck_assert_int_eq(sink_begin(sink, &schema, NULL), -EINVAL);
		ck_assert_int_eq(sink_row(sink, &recs[0]), 0);
		close(p[0]);
		ck_assert_int_eq(sink_end(sink), -EPIPE);
		ck_assert_int_eq(sink_line(sink, "x"), format == SINK_TEXT ? -EPIPE : 0);
		sink_free(sink);
		close(p[1]);
	}
	sink_free(NULL);
}
END_TEST

/* Ten times the rows take far less than a hundred times the time. */
START_TEST(large_tables_are_linear)
{
	struct timespec from, to;
	double took[2];

	for (int format = 0; sink_formats[format]; format++) {
		for (int round = 0; round < 2; round++) {
			open_sink((enum sink_format)format, false);
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
			sink_begin(sink, &schema, NULL);
			for (int i = 0; i < (round ? 50000 : 5000) / UNIT_STRIDE; i++)
				ck_assert_int_eq(sink_row(sink, &recs[i % 3]), 0);
			ck_assert_int_eq(sink_end(sink), 0);
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
			took[round] = (double)(to.tv_sec - from.tv_sec) +
				      (double)(to.tv_nsec - from.tv_nsec) / 1e9;
			sink_free(sink);
			close(file);
		}
		ck_assert_double_lt(took[1], 40 * took[0]);
	}
}
END_TEST

Suite *out_suite(void)
{
	Suite *s = suite_create("out");
	TCase *t = tcase_create("out");

	tcase_set_timeout(t, 30);
	tcase_add_test(t, text_table);
	tcase_add_test(t, text_has_headings_without_rows);
	tcase_add_test(t, json_has_a_line_per_record);
	tcase_add_test(t, json_numbers_are_exact);
	tcase_add_test(t, lists_times_and_unknowns_are_printed);
	tcase_add_test(t, times_are_rfc3339);
	tcase_add_test(t, files_are_replaced_whole);
	tcase_add_test(t, files_have_no_colors);
	tcase_add_test(t, prom_exposition);
	tcase_add_test(t, prom_tables_are_complete);
	tcase_add_test(t, prom_labels_are_optional);
	tcase_add_test(t, histograms_and_signed_numbers);
	tcase_add_test(t, kinds_share_columns);
	tcase_add_test(t, strings_are_copied);
	tcase_add_test(t, wrong_order_and_broken_pipes_are_errors);
	tcase_add_test(t, large_tables_are_linear);
	suite_add_tcase(s, t);
	return s;
}
