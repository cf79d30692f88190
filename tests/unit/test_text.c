/* SPDX-License-Identifier: MIT */
/* The text output: abbreviated numbers, and tables on a terminal. */
#define _GNU_SOURCE 1
#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/array.h"
#include "out/sink.h"
#include "tests/unit/suites.h"

struct rec {
	const char *name, *rule;
	uint64_t n;
	double rate;
};

static char text[16384];

/* Writes one table to fd. */
static void write_table(int fd, bool screen, const struct schema *schema, const char *title,
			const struct rec *r, size_t n)
{
	struct sink *sink = sink_new(SINK_TEXT, fd, screen);

	ck_assert_ptr_nonnull(sink);
	ck_assert_int_eq(sink_begin(sink, schema, title), 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(sink_row(sink, &r[i]), 0);
	ck_assert_int_eq(sink_end(sink), 0);
	sink_free(sink);
}

/* Writes a table to a file without a width and returns the text. */
static const char *format_table(bool screen, const struct schema *schema, const char *title,
				const struct rec *r, size_t n)
{
	int file = memfd_create("text", 0);
	ssize_t len;

	ck_assert_int_ge(file, 0);
	write_table(file, screen, schema, title, r, n);
	len = pread(file, text, sizeof(text) - 1, 0);
	close(file);
	ck_assert_int_ge(len, 0);
	text[len] = '\0';
	return text;
}

static const struct {
	double rate;
	const char *text;
} rates[] = {
	{ 0, "0" },           { -0.0, "0" },       { 0.04, "0.0" },     { 0.5, "0.5" },
	{ 3, "3" },           { 9.9, "9.9" },      { 9.96, "10" },      { 950, "950" },
	{ 999.4, "999" },     { 999.6, "1.0k" },   { 1000, "1.0k" },    { 1234, "1.2k" },
	{ 999940, "999.9k" }, { 999960, "1.0M" },  { 35.1e6, "35.1M" }, { 1e9, "1.0G" },
	{ 1e18, "1.0E" },     { 1e21, "1000.0E" }, { -1234, "-1.2k" },  { INFINITY, "-" },
};

START_TEST(rate_is_short)
{
	static const struct col col[] = { { "rate", "R", .unit = COL_RATE, .role = COL_GAUGE,
					    COL_AT_F64(struct rec, rate) } };
	static const struct schema schema = { "one", col, 1, 0 };
	struct rec r = { .rate = rates[_i].rate };
	char *at = strchr(format_table(false, &schema, NULL, &r, 1), '\n') + 1;

	*strchr(at, '\n') = '\0';
	ck_assert_str_eq(at, rates[_i].text);
}
END_TEST

static const struct {
	uint64_t n;
	const char *bytes, *ns;
} scaled[] = {
	{ 0, "0B", "0ns" },
	{ 999, "999B", "999ns" },
	{ 1000, "1000B", "1.0us" },
	{ 1023, "1023B", "1.0us" },
	{ 1024, "1.0KiB", "1.0us" },
	{ 1048575, "1.0MiB", "1.0ms" },
	{ 5368709120, "5.0GiB", "5.4s" },
	{ 7200000000000, "6.5TiB", "7200.0s" },
	{ UINT64_MAX - 1, "16.0EiB", "18446744073.7s" },
};

START_TEST(bytes_and_times_are_short)
{
	static const struct col col[] = {
		{ "b", "B", .unit = COL_BYTES, .role = COL_GAUGE, COL_AT_U64(struct rec, n) },
		{ "t", "T", .unit = COL_NS, .role = COL_GAUGE, COL_AT_U64(struct rec, n) },
	};
	static const struct schema schema = { "two", col, 2, 0 };
	struct rec r = { .n = scaled[_i].n };
	char line[64];

	snprintf(line, sizeof(line), "%s  %s\n", scaled[_i].bytes, scaled[_i].ns);
	ck_assert_str_eq(strchr(format_table(false, &schema, NULL, &r, 1), '\n') + 1, line);
}
END_TEST

static const struct col cols[] = {
	{ "name", "NAME", .role = COL_KEY, COL_AT_STR(struct rec, name) },
	{ "rule", "RULE", .role = COL_KEY, COL_AT_STR(struct rec, rule) },
	{ "n", "PACKETS", .role = COL_COUNTER, COL_AT_U64(struct rec, n) },
};
static const struct schema schema = { "named", cols, 3, 0 };

#define NET "\xe7\xb6\xb2" /* one character, two columns */

static const struct rec named[] = {
	{ NET NET NET NET NET NET "z", NULL, 1, 0 },
	{ "123456789" NET NET, NULL, 2, 0 }, /* the last character would cross column 12 */
	{ "eth0", NULL, 3, 0 },
	{ "eth1", NULL, 4, 0 },
	{ "eth2", NULL, 5, 0 },
};

START_TEST(wide_characters_align)
{
	ck_assert_str_eq(format_table(false, &schema, NULL, named, 3),
			 "NAME           PACKETS\n" NET NET NET NET NET NET "z        1\n"
			 "123456789" NET NET "        2\n"
			 "eth0                 3\n");
}
END_TEST

static const char *read_screen(int pty)
{
	ssize_t n = read(pty, text, sizeof(text) - 1);

	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	return text;
}

START_TEST(screen_cuts_and_erases)
{
	struct winsize size = { .ws_col = 12, .ws_row = 5 };
	int pty = posix_openpt(O_RDWR | O_NOCTTY), tty;

	ck_assert_int_ge(pty, 0);
	ck_assert_int_eq(grantpt(pty) | unlockpt(pty), 0);
	tty = open(ptsname(pty), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(tty, 0);
	ck_assert_int_eq(ioctl(tty, TIOCSWINSZ, &size), 0);
	setenv("TERM", "xterm", 1);
	setenv("NO_COLOR", "1", 1);
	write_table(tty, true, &schema, "a long title is cut", named, 2);
	ck_assert_str_eq(read_screen(pty), "\x1b[H\x1b[Ka long title\r\n"
					   "\x1b[KNAME\r\n"
					   "\x1b[K" NET NET NET NET NET NET "\r\n"
					   "\x1b[K123456789" NET "\r\n\x1b[J");
	write_table(tty, true, &schema, NULL, named + 1, 4);
	ck_assert_str_eq(read_screen(pty), "\x1b[H\x1b[KNAME\r\n"
					   "\x1b[K123456789" NET "\r\n"
					   "\x1b[Keth0\r\n"
					   "\x1b[K(2 more)\r\n\x1b[J");
	/* The heading is bold unless the user or the terminal disables it. */
	unsetenv("NO_COLOR");
	write_table(tty, false, &schema, NULL, named + 2, 1);
	ck_assert_str_eq(read_screen(pty), "\x1b[1mNAME  PACKETS\x1b[m\r\neth0        3\r\n");
	setenv("TERM", "dumb", 1);
	write_table(tty, false, &schema, NULL, named + 2, 1);
	ck_assert_str_eq(read_screen(pty), "NAME  PACKETS\r\neth0        3\r\n");
	close(tty);
	close(pty);
}
END_TEST

START_TEST(screen_of_unknown_size)
{
	struct rec many[60];
	char title[100] = "";
	size_t lines = 0;

	for (size_t i = 0; i < 60; i++)
		many[i] = named[2];
	memset(title, 't', sizeof(title) - 1);
	format_table(true, &schema, title, many, 60);
	ck_assert_uint_eq(strcspn(text, "\n"), strlen("\x1b[H\x1b[K") + 80);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	ck_assert_uint_eq(lines, 62);
}
END_TEST

Suite *text_suite(void)
{
	Suite *s = suite_create("text");
	TCase *t = tcase_create("text");

	tcase_add_loop_test(t, rate_is_short, 0, ARRAY_LEN(rates));
	tcase_add_loop_test(t, bytes_and_times_are_short, 0, ARRAY_LEN(scaled));
	tcase_add_test(t, wide_characters_align);
	tcase_add_test(t, screen_cuts_and_erases);
	tcase_add_test(t, screen_of_unknown_size);
	suite_add_tcase(s, t);
	return s;
}
