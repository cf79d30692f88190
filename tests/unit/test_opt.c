/* SPDX-License-Identifier: MIT */
/* Command lines: spellings of options, error messages, --help. */
#define _GNU_SOURCE 1
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#undef fail /* check.h defines it, too */
#include "base/array.h"
#include "base/err.h"
#include "base/opt.h"
#include "tests/unit/capture_stderr.h"
#include "tests/unit/suites.h"

struct conf {
	bool numeric, verbose;
	uint32_t count;
	const char *file;
	struct opt_list ifaces;
	uint64_t interval;
	int format;
};

static const char *const formats[] = { "text", "json", "prom", NULL };

static const struct opt rows[] = {
	OPT_LIST('i', "interface", "IFACE", struct conf, ifaces, "an interface to look at"),
	OPT_FLAG('n', "numeric", struct conf, numeric, "print numbers, not names"),
	OPT_FLAG('v', "", struct conf, verbose, "say more"),
	OPT_U32('c', "count", "N", struct conf, count, 1, 100, "stop after N packets"),
	OPT_STR('w', "write", "FILE", struct conf, file, "write to FILE"),
	OPT_TIME('I', "interval", "TIME", struct conf, interval,
		 "the time between two tables, which are printed until the command is ended by a "
		 "signal or by a count"),
	OPT_CHOICE('o', "output", "FORMAT", struct conf, format, formats, "the output"),
	OPT_SET(0, "json", struct conf, format, 1, "short for -o json"),
	OPT_SET(0, "a-name-longer-than-most", struct conf, format, 2, "below it"),
	{},
};

static const struct opt_spec spec = {
	.command = "count",
	.usage = "[OPTIONS] [FILTER]",
	.about = "Count packets.\nSecond paragraph.",
	.rows = rows,
	.examples = "sonde count -i eth0\n\nsonde count tcp port 80",
};

static struct conf conf;
static char **rest, *args[256];
static int nrest;

/* Splits the line at spaces ('~' is an empty word), parses it and captures fd. */
static int parse_line(int fd, const char *line)
{
	static char copy[4096];
	int argc = 1, ret;

	conf = (struct conf){ 0 };
	rest = NULL;
	args[0] = (char[]){ "count" };
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		args[argc++] = strcmp(w, "~") ? w : w + 1;
	args[argc] = NULL;
	capture_stderr_begin(fd);
	ret = opt_parse(&spec, &conf, argc, args, &rest, &nrest);
	capture_stderr_end(fd);
	return ret;
}

static const struct {
	const char *line, *rest;
	struct conf conf;
} good[] = {
	{ "", "", {} },
	{ "-i eth0", "", { .ifaces = { { "eth0" }, 1 } } },
	{ "-ieth0", "", { .ifaces = { { "eth0" }, 1 } } },
	{ "--interface=eth0", "", { .ifaces = { { "eth0" }, 1 } } },
	{ "--interface eth0", "", { .ifaces = { { "eth0" }, 1 } } },
	{ "-i a --interface=b -ic", "", { .ifaces = { { "a", "b", "c" }, 3 } } },
	{ "-nv", "", { .numeric = true, .verbose = true } },
	{ "-nvc7", "", { .numeric = true, .verbose = true, .count = 7 } },
	{ "-nc 7", "", { .numeric = true, .count = 7 } },
	{ "-c 1", "", { .count = 1 } },
	{ "-c 0x64", "", { .count = 100 } },
	{ "-c 1 -c 2", "", { .count = 2 } },
	{ "--interval=2", "", { .interval = 2000000000 } },
	{ "--interval 2", "", { .interval = 2000000000 } },
	{ "-I0.5", "", { .interval = 500000000 } },
	{ "-o prom", "", { .format = 2 } },
	{ "--json", "", { .format = 1 } },
	{ "--json -o text", "", { .format = 0 } },
	{ "-w -", "", { .file = "-" } },
	{ "-w --", "", { .file = "--" } },
	{ "--write= x", "x", { .file = "" } },
	{ "--write=a=b", "", { .file = "a=b" } },
	{ "tcp port 80", "tcp port 80", {} },
	{ "tcp -n port -c 7 80", "tcp port 80", { .numeric = true, .count = 7 } },
	{ "-n tcp -v", "tcp", { .numeric = true, .verbose = true } },
	{ "a - b", "a - b", {} },
	{ "a -n ~ b", "a  b", { .numeric = true } },
	{ "-n -- -v --json", "-v --json", { .numeric = true } },
	{ "a -n b -- -v c", "a b -v c", { .numeric = true } },
	{ "a -- b -- c", "a b -- c", {} },
	{ "--", "", {} },
};

START_TEST(options_are_parsed)
{
	char joined[256] = "";

	ck_assert_msg(!parse_line(STDERR_FILENO, good[_i].line), "%s", captured);
	for (int i = 0; i < nrest; i++) {
		strcat(joined, i ? " " : "");
		strcat(joined, rest[i]);
	}
	ck_assert_str_eq(joined, good[_i].rest);
	ck_assert_ptr_null(rest[nrest]);
	ck_assert_str_eq(captured, "");
	ck_assert_int_eq(conf.numeric, good[_i].conf.numeric);
	ck_assert_int_eq(conf.verbose, good[_i].conf.verbose);
	ck_assert_uint_eq(conf.count, good[_i].conf.count);
	ck_assert_uint_eq(conf.interval, good[_i].conf.interval);
	ck_assert_int_eq(conf.format, good[_i].conf.format);
	ck_assert_pstr_eq(conf.file, good[_i].conf.file);
	ck_assert_uint_eq(conf.ifaces.n, good[_i].conf.ifaces.n);
	for (unsigned int i = 0; i < conf.ifaces.n; i++)
		ck_assert_str_eq(conf.ifaces.at[i], good[_i].conf.ifaces.at[i]);
}
END_TEST

static const struct {
	const char *line, *errors;
} bad[] = {
	{ "--interva 2", "unknown option --interva; did you mean --interval?" },
	{ "--intreval=2", "unknown option --intreval; did you mean --interval?" },
	{ "--inter=2", "unknown option --inter; did you mean --interval?" },
	{ "--hlep", "unknown option --hlep; did you mean --help?" },
	{ "--xyzzy", "unknown option --xyzzy" },
	{ "--=2", "unknown option --=2" },
	{ "---", "unknown option ---" },
	{ "-json", "unknown option -json; did you mean --json?" },
	{ "-z", "unknown option -z" },
	{ "-5", "unknown option -5" },
	{ "-nz", "unknown option -z in -nz" },
	{ "-\xc3\xa9", "unknown option -\xc3\xa9" },
	{ "-i", "-i: needs a value (IFACE)" },
	{ "-n --interval", "--interval: needs a value (TIME)" },
	{ "--json=1", "--json: takes no value" },
	{ "--help=me", "--help: takes no value" },
	{ "-I 12abc", "-I: 12abc is not a time (examples: 2, 0.5, 100ms)" },
	{ "--interval=", "--interval: \"\" is not a time (examples: 2, 0.5, 100ms)" },
	{ "-I 0", "-I: 0 is out of range (1 nanosecond to 1 year)" },
	{ "-c 12abc", "-c: 12abc is not a number (1 to 100)" },
	{ "-c -1", "-c: -1 is not a number (1 to 100)" },
	{ "-c ~", "-c: \"\" is not a number (1 to 100)" },
	{ "--count 0", "--count: 0 is out of range (1 to 100)" },
	{ "-c101", "-c: 101 is out of range (1 to 100)" },
	{ "-c 4294967297", "-c: 4294967297 is out of range (1 to 100)" },
	{ "-o xml", "-o: xml is not one of text, json, prom" },
	{ "-o js", "-o: js is not one of text, json, prom" },
	{ "-o ~", "-o: \"\" is not one of text, json, prom" },
	{ "-w a\x1b[2J -c x", "-c: x is not a number (1 to 100)" },
	{ "-c \x1b[2J", "-c: ?[2J is not a number (1 to 100)" },
};

START_TEST(errors_name_the_option)
{
	char line[512];

	err_set_command("count");
	ck_assert_int_eq(parse_line(STDERR_FILENO, bad[_i].line), -E_USAGE);
	err_set_command(NULL);
	snprintf(line, sizeof(line), "sonde count: %s (see sonde count --help)\n", bad[_i].errors);
	ck_assert_str_eq(captured, line);
	ck_assert_ptr_null(rest);
}
END_TEST

START_TEST(lists_are_limited)
{
	char line[1024] = "";

	for (int i = 0; i < OPT_LIST_MAX; i++)
		strcat(line, "-i x ");
	ck_assert_int_eq(parse_line(STDERR_FILENO, line), 0);
	ck_assert_uint_eq(conf.ifaces.n, OPT_LIST_MAX);
	strcat(line, "-i x");
	ck_assert_int_eq(parse_line(STDERR_FILENO, line), -E_USAGE);
	ck_assert_ptr_nonnull(strstr(captured, "-i: given more than 64 times"));
}
END_TEST

static const char help[] =
	"Usage: sonde count [OPTIONS] [FILTER]\n"
	"\n"
	"Count packets.\n"
	"Second paragraph.\n"
	"\n"
	"Options:\n"
	"  -i, --interface IFACE  an interface to look at (repeatable)\n"
	"  -n, --numeric          print numbers, not names\n"
	"  -v                     say more\n"
	"  -c, --count N          stop after N packets\n"
	"  -w, --write FILE       write to FILE\n"
	"  -I, --interval TIME    the time between two tables, which are printed until\n"
	"                         the command is ended by a signal or by a count\n"
	"  -o, --output FORMAT    the output: text, json, prom (default: text)\n"
	"      --json             short for -o json\n"
	"      --a-name-longer-than-most\n"
	"                         below it\n"
	"  -h, --help             print this help\n"
	"\n"
	"Examples:\n"
	"  sonde count -i eth0\n"
	"\n"
	"  sonde count tcp port 80\n";

START_TEST(help_is_a_page)
{
	static const char *const spellings[] = { "-h", "--help", "-nh",
						 "tcp -i eth0 --help --bad" };

	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		ck_assert_int_eq(parse_line(STDOUT_FILENO, spellings[i]), 1);
		ck_assert_str_eq(captured, help);
	}
	for (const char *line = help; *line; line += strcspn(line, "\n") + 1)
		ck_assert_uint_le(strcspn(line, "\n"), 80);
	ck_assert_int_eq(parse_line(STDOUT_FILENO, "-- --help"), 0);
	ck_assert_str_eq(captured, "");
}
END_TEST

START_TEST(help_reports_write_errors)
{
	int saved_stdout = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY);

	ck_assert_int_ge(full, 0);
	dup2(full, STDOUT_FILENO);
	ck_assert_int_eq(parse_line(STDERR_FILENO, "--help"), -ENOSPC);
	dup2(saved_stdout, STDOUT_FILENO);
	close(saved_stdout);
	close(full);
	ck_assert_str_eq(captured, "sonde: standard output: no space left\n");
}
END_TEST

Suite *opt_suite(void)
{
	Suite *s = suite_create("opt");
	TCase *t = tcase_create("opt");

	tcase_add_loop_test(t, options_are_parsed, 0, ARRAY_LEN(good));
	tcase_add_loop_test(t, errors_name_the_option, 0, ARRAY_LEN(bad));
	tcase_add_test(t, lists_are_limited);
	tcase_add_test(t, help_is_a_page);
	tcase_add_test(t, help_reports_write_errors);
	suite_add_tcase(s, t);
	return s;
}
