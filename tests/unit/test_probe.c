/* SPDX-License-Identifier: MIT */
/* Probe targets as typed on the command line, valid and invalid. */
#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/array.h"
#include "tests/unit/capture_stderr.h"
#include "tests/unit/suites.h"
#undef fail /* check.h defines it, too */
#include "base/err.h"
#include "probe/syscall.h"
#include "probe/target.h"

static const struct {
	const char *word, *category, *name, *path;
	const char *kind;
	uint64_t symbol_offset;
	bool returns;
} good[] = {
	{ "kprobe:tcp_connect", "", "tcp_connect", "", "kprobe", 0, false },
	{ "kretprobe:tcp_connect", "", "tcp_connect", "", "kretprobe", 0, true },
	{ "uprobe:/bin/sh:main", "", "main", "/bin/sh", "uprobe", 0, false },
	{ "uprobe:/bin/sh:main+0x10", "", "main", "/bin/sh", "uprobe", 16, false },
	{ "uprobe:/bin/sh:main+10", "", "main", "/bin/sh", "uprobe", 10, false },
	{ "uprobe:a:b:c", "", "c", "a:b", "uprobe", 0, false },
	{ "uprobe:./x:0x1000", "", "0x1000", "./x", "uprobe", 0, false },
	{ "uretprobe:libc.so.6:malloc", "", "malloc", "libc.so.6", "uretprobe", 0, true },
	{ "tracepoint:sock:x", "sock", "x", "", "tracepoint", 0, false },
	{ "raw:x", "", "x", "", "raw", 0, false },
};

START_TEST(targets_are_parsed)
{
	struct target t;

	ck_assert_int_eq(target_parse(&t, good[_i].word), 0);
	ck_assert_ptr_eq(t.kind, target_find_kind(good[_i].word));
	ck_assert_str_eq(t.kind->name, good[_i].kind);
	ck_assert_str_eq(t.category, good[_i].category);
	ck_assert_str_eq(t.name, good[_i].name);
	ck_assert_str_eq(t.file.path, good[_i].path);
	ck_assert_uint_eq(t.symbol_offset, good[_i].symbol_offset);
	ck_assert_int_eq(t.returns, good[_i].returns);
}
END_TEST

static const struct {
	const char *word, *message;
} bad[] = {
	{ "kprobe:", "missing name" },
	{ "uprobe:main", "uprobe:PATH:SYMBOL" },
	{ "uprobe::main", "missing name" },
	{ "uprobe:/bin/sh:", "missing name" },
	{ "uprobe:/bin/sh:main+", "invalid offset" },
	{ "uprobe:/bin/sh:main+1x", "invalid offset" },
	{ "uprobe:/bin/sh:main+-1", "invalid offset" },
	{ "uprobe:/bin/sh:+1", "missing name" },
	{ "uretprobe:/bin/sh:main+4", "takes no offset" },
	{ "tracepoint:sock", "tracepoint:CATEGORY:NAME" },
	{ "tracepoint::x", "missing name" },
	{ "tracepoint:sock:", "missing name" },
};

START_TEST(invalid_targets_are_refused)
{
	struct target t;
	int rc;

	capture_stderr_begin(STDERR_FILENO);
	rc = target_parse(&t, bad[_i].word);
	capture_stderr_end(STDERR_FILENO);
	ck_assert_int_eq(rc, -E_USAGE);
	ck_assert_msg(strstr(captured, bad[_i].message), "%s: %s", bad[_i].word, captured);
}
END_TEST

START_TEST(kinds_are_suggested)
{
	ck_assert_ptr_null(target_find_kind("kprobe"));
	ck_assert_ptr_null(target_find_kind("kprobes:x"));
	ck_assert_ptr_null(target_find_kind("pid"));
	ck_assert_ptr_null(target_find_kind(""));
	ck_assert_str_eq(target_suggest_kind("kprob"), "kprobe");
	ck_assert_str_eq(target_suggest_kind("uertprobe"), "uretprobe");
	ck_assert_ptr_null(target_suggest_kind("host"));
}
END_TEST

START_TEST(system_calls_have_numbers)
{
	int number, reads = 0;
	const char *name;

	for (unsigned int i = 0; (name = syscall_name(i, &number)); i++) {
		ck_assert_uint_gt(strlen(name), 0);
		if (strcmp(name, "read"))
			continue;
		ck_assert_int_eq(number, SYS_read);
		reads++;
	}
	ck_assert_int_eq(reads, 1);
}
END_TEST

Suite *probe_suite(void)
{
	Suite *s = suite_create("probe");
	TCase *t = tcase_create("targets");

	tcase_add_loop_test(t, targets_are_parsed, 0, ARRAY_LEN(good));
	tcase_add_loop_test(t, invalid_targets_are_refused, 0, ARRAY_LEN(bad));
	tcase_add_test(t, kinds_are_suggested);
	tcase_add_test(t, system_calls_have_numbers);
	suite_add_tcase(s, t);
	return s;
}
