/* SPDX-License-Identifier: MIT */
/* Errors, numbers, buffers and UTF-8: the messages that users see, and the types below them. */
#define _GNU_SOURCE 1
#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/buf.h"
#include "tests/unit/capture_stderr.h"
#include "tests/unit/suites.h"
#undef fail /* check.h defines it, too */
#include "base/err.h"
#include "base/near.h"
#include "base/opt.h"
#include "base/split.h"
#include "base/utf8.h"

#define assert_stderr(call, ret, text)               \
	do {                                         \
		int got_;                            \
		capture_stderr_begin(STDERR_FILENO); \
		got_ = (call);                       \
		capture_stderr_end(STDERR_FILENO);   \
		ck_assert_str_eq(captured, text);    \
		ck_assert_int_eq(got_, ret);         \
	} while (0)

START_TEST(errors_name_the_command)
{
	err_set_command(NULL);
	assert_stderr(fail(-ENODEV, "no interface %s", "eth9"), -ENODEV,
		      "sonde: no interface eth9\n");
	assert_stderr(fail_errno(-EMFILE, "a.pcap"), -EMFILE,
		      "sonde: a.pcap: too many files open in this process (see ulimit -n)\n");
	assert_stderr(fail_usage("what is %d", 7), -E_USAGE,
		      "sonde: what is 7 (see sonde --help)\n");
	err_set_command("count");
	assert_stderr((note("eth0: generic XDP"), 0), 0, "sonde count: eth0: generic XDP\n");
	assert_stderr(fail_usage("no"), -E_USAGE, "sonde count: no (see sonde count --help)\n");
	err_set_command(NULL);
}
END_TEST

START_TEST(errors_have_no_control_characters)
{
	/* escape, newline, C1 in UTF-8, a raw C1 byte, a right-to-left override; UTF-8 stays */
	assert_stderr(fail(-1, "%s", "a\x1b[31m\nb\xc2\x9b\x9b\xe2\x80\xae \xc3\xa9"), -1,
		      "sonde: a?[31m?b??? \xc3\xa9\n");
	errno = E2BIG;
	assert_stderr((note("x"), errno), E2BIG, "sonde: x\n");
}
END_TEST

START_TEST(long_errors_are_cut)
{
	char word[5000];

	memset(word, 'w', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	capture_stderr_begin(STDERR_FILENO);
	fail_errno(-ENOSPC, "%s", word);
	capture_stderr_end(STDERR_FILENO);
	ck_assert_uint_le(strlen(captured), 1100);
	ck_assert_ptr_nonnull(strstr(captured, "www...: no space left\n"));
	for (size_t i = 0; i + 1 < sizeof(word); i++) /* a character is never split */
		word[i] = i % 2 ? (char)0xa9 : (char)0xc3;
	for (int odd = 0; odd < 2; odd++) {
		capture_stderr_begin(STDERR_FILENO);
		fail(-1, "%s%s", odd ? "y" : "", word);
		capture_stderr_end(STDERR_FILENO);
		ck_assert_ptr_null(strchr(captured, '?'));
		ck_assert_ptr_nonnull(strstr(captured, "\xc3\xa9...\n"));
	}
	/* Invalid bytes after the last character do not split it. */
	memset(word, 'w', sizeof(word));
	memcpy(word + 992, "\xf0\x9f\x98\x80\x80\x80", 6);
	word[1200] = '\0';
	capture_stderr_begin(STDERR_FILENO);
	fail(-1, "%s", word);
	capture_stderr_end(STDERR_FILENO);
	ck_assert_ptr_nonnull(strstr(captured, "w\xf0\x9f\x98\x80...\n"));
}
END_TEST

START_TEST(error_numbers_have_messages)
{
	ck_assert_str_eq(err_message(EPIPE), err_message(-EPIPE));
	ck_assert_str_eq(err_message(-EPERM), "not permitted (needs root or more capabilities)");
	ck_assert_str_eq(err_message(-EDOM), strerror(EDOM));
	ck_assert_ptr_nonnull(err_message(INT32_MIN));
}
END_TEST

static const struct {
	const char *text;
	int err;
	uint64_t ns;
} times[] = {
	{ "2", 0, 2000000000 },
	{ "0.5", 0, 500000000 },
	{ "10ms", 0, 10000000 },
	{ "1.5s", 0, 1500000000 },
	{ "3m", 0, 180000000000 },
	{ "2h", 0, 7200000000000 },
	{ "0.000000001", 0, 1 },
	{ "0.0000000010000", 0, 1 },
	{ "0.1", 0, 100000000 },
	{ "4.503599627370496s", -ERANGE, 0 },
	{ "1234567.123456789", 0, 1234567123456789 },
	{ "7ns", 0, 7 },
	{ "1.5us", 0, 1500 },
	{ "1.00ns", 0, 1 },
	{ "0.155001050250m", 0, 9300063015 },
	{ "0.000000000125m", -ERANGE, 0 },
	{ "0.5ns", -ERANGE, 0 },
	{ "1.01ns", -ERANGE, 0 },
	{ "0.0000000001", -ERANGE, 0 },
	{ "365d", 0, 31536000000000000 },
	{ "31536000", 0, 31536000000000000 },
	{ "31536000.000000001", -ERANGE, 0 },
	{ "366d", -ERANGE, 0 },
	{ "18446744073709551617", -ERANGE, 0 },
	{ "99999999999999999999999999999999h", -ERANGE, 0 },
	{ "0", -ERANGE, 0 },
	{ "0.0ms", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ "-1", -EINVAL, 0 },
	{ "+1", -EINVAL, 0 },
	{ " 1", -EINVAL, 0 },
	{ "1 ", -EINVAL, 0 },
	{ "1.", -EINVAL, 0 },
	{ ".5", -EINVAL, 0 },
	{ "1..5", -EINVAL, 0 },
	{ "1,5", -EINVAL, 0 },
	{ "1e3", -EINVAL, 0 },
	{ "0x10", -EINVAL, 0 },
	{ "12abc", -EINVAL, 0 },
	{ "10MS", -EINVAL, 0 },
	{ "99999999999999999999999x", -EINVAL, 0 },
	{ "ms", -EINVAL, 0 },
};

START_TEST(time_is_exact)
{
	uint64_t ns = 42;

	ck_assert_msg(parse_time(times[_i].text, &ns) == times[_i].err, "%s", times[_i].text);
	ck_assert_uint_eq(ns, times[_i].err ? 42 : times[_i].ns);
}
END_TEST

static const struct {
	const char *text;
	uint32_t min, max;
	int err;
	uint32_t value;
} numbers[] = {
	{ "1", 1, 10, 0, 1 },
	{ "10", 1, 10, 0, 10 },
	{ "0", 1, 10, -ERANGE, 0 },
	{ "11", 1, 10, -ERANGE, 0 },
	{ "4294967295", 0, UINT32_MAX, 0, UINT32_MAX },
	{ "4294967296", 0, UINT32_MAX, -ERANGE, 0 },
	{ "18446744073709551617", 0, UINT32_MAX, -ERANGE, 0 },
	{ "0xffffffff", 0, UINT32_MAX, 0, UINT32_MAX },
	{ "0X1a", 0, UINT32_MAX, 0, 26 },
	{ "0x100000000", 0, UINT32_MAX, -ERANGE, 0 },
	{ "010", 0, UINT32_MAX, 0, 10 },
	{ "0x", 0, UINT32_MAX, -EINVAL, 0 },
	{ "0xg", 0, UINT32_MAX, -EINVAL, 0 },
	{ "", 0, UINT32_MAX, -EINVAL, 0 },
	{ "-1", 0, UINT32_MAX, -EINVAL, 0 },
	{ " 1", 0, UINT32_MAX, -EINVAL, 0 },
	{ "12abc", 0, UINT32_MAX, -EINVAL, 0 },
	{ "a", 0, UINT32_MAX, -EINVAL, 0 },
	{ "1.0", 0, UINT32_MAX, -EINVAL, 0 },
	{ "99999999999999999999999z", 0, UINT32_MAX, -EINVAL, 0 },
};

START_TEST(numbers_are_complete)
{
	uint32_t n = 42;
	int err = parse_u32(numbers[_i].text, numbers[_i].min, numbers[_i].max, &n);

	ck_assert_msg(err == numbers[_i].err, "%s", numbers[_i].text);
	ck_assert_uint_eq(n, err ? 42 : numbers[_i].value);
}
END_TEST

START_TEST(near_names_are_suggested)
{
	static const char *const names[] = { "count", "capture", "filter", "top", "print", NULL };

	ck_assert_str_eq(opt_nearest("cuont", names), "count");
	ck_assert_str_eq(opt_nearest("coun", names), "count");
	ck_assert_str_eq(opt_nearest("captures", names), "capture");
	ck_assert_str_eq(opt_nearest("cap", names), "capture");
	ck_assert_str_eq(opt_nearest("tpo", names), "top");
	ck_assert_str_eq(opt_nearest("fitler", names), "filter");
	ck_assert_ptr_null(opt_nearest("guard", names));
	ck_assert_ptr_null(opt_nearest("", names));
	ck_assert_ptr_null(opt_nearest("x", names));
	ck_assert_ptr_null(opt_nearest("a word that is longer than any of the names", names));
}
END_TEST

/* Among many names, the first of the nearest is suggested. A truncated name is near. */
START_TEST(the_first_of_the_nearest_is_suggested)
{
	struct near near;

	near_begin(&near, "getaddrinf");
	ck_assert(near_try(&near, "getaddrinfo_a"));
	ck_assert(near_try(&near, "getaddrinfo"));
	ck_assert(!near_try(&near, "getnameinfo"));
	ck_assert_str_eq(near.name, "getaddrinfo");
	near_begin(&near, "tcp_retransmit_skbb");
	ck_assert(!near_try(
		&near,
		"a_name_that_is_far_longer_than_any_other_of_the_kernel_and_so_near_to_none"));
	ck_assert(!near_try(&near, ""));
	ck_assert_str_eq(near.name, "");
	ck_assert(near_try(&near, "tcp_retransmit_skb"));
}
END_TEST

START_TEST(errors_have_names)
{
	ck_assert_str_eq(err_name(ENOENT), "ENOENT");
	ck_assert_str_eq(err_name(-EKEYREJECTED), "EKEYREJECTED");
	ck_assert_ptr_null(err_name(0));
	ck_assert_ptr_null(err_name(4095));
	ck_assert_ptr_null(err_name(INT_MIN));
}
END_TEST

START_TEST(buffer_appends)
{
	struct buf b = { 0 };
	char *room;

	buf_add(&b, NULL, 0);
	buf_printf(&b, "%s-%d", "a", 7);
	buf_char(&b, '\0');
	room = buf_add_zeros(&b, 3);
	ck_assert_mem_eq(room, "\0\0\0", 3);
	buf_fill(&b, 'z', 2);
	buf_str(&b, "end");
	ck_assert_uint_eq(b.len, 12);
	ck_assert_mem_eq(b.data, "a-7\0\0\0\0zzend", 12);
	buf_clear(&b);
	ck_assert_uint_eq(b.len, 0);
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%0*d", i % 700, i);
	buf_clear(&b);
	for (int i = 0; i < 100000; i++)
		buf_printf(&b, "%05d", i);
	ck_assert_uint_eq(b.len, 500000);
	ck_assert_mem_eq(b.data + 499990, "9999899999", 10);
	buf_free(&b);
	buf_free(&b);
}
END_TEST

/* Short pieces are copied by other code than long ones. */
START_TEST(buffer_appends_any_length)
{
	char bytes[80], past[3] = { 'p', 's', 't' };

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 37 + 1);
	for (size_t n = 1; n <= sizeof(bytes); n++) {
		struct buf b = { 0 };

		buf_char(&b, '<');
		buf_add(&b, bytes, n);
		buf_add(&b, past, sizeof(past));
		ck_assert_uint_eq(b.len, 1 + n + sizeof(past));
		ck_assert(b.data[0] == '<');
		ck_assert_mem_eq(b.data + 1, bytes, n);
		ck_assert_mem_eq(b.data + 1 + n, past, sizeof(past));
		buf_free(&b);
	}
}
END_TEST

START_TEST(buffer_keeps_out_of_memory)
{
	struct buf b = { 0 };

	buf_str(&b, "kept");
	ck_assert_ptr_null(buf_add_zeros(&b, SIZE_MAX - 2));
	ck_assert(b.nomem);
	buf_str(&b, "ignored");
	buf_printf(&b, "%d", 1);
	ck_assert_uint_eq(b.len, 4);
	ck_assert_int_eq(buf_write(&b, STDOUT_FILENO), -ENOMEM);
	buf_clear(&b);
	ck_assert(!b.nomem);
	buf_free(&b);
}
END_TEST

static void *drain_pipe(void *arg)
{
	static char bytes[1 << 16];
	int fd = *(int *)arg;
	ssize_t n;
	size_t sum = 0;

	usleep(20000); /* lets the pipe fill up */
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		sum += (size_t)n;
	return (void *)sum;
}

START_TEST(buffer_write_waits)
{
	struct buf b = { 0 };
	pthread_t thread;
	void *sum;
	int p[2];

	ck_assert_int_eq(pipe2(p, 0), 0);
	ck_assert_int_eq(fcntl(p[1], F_SETFL, O_NONBLOCK), 0);
	buf_fill(&b, 'x', 1 << 20);
	ck_assert_int_eq(pthread_create(&thread, NULL, drain_pipe, &p[0]), 0);
	ck_assert_int_eq(buf_write(&b, p[1]), 0);
	close(p[1]);
	ck_assert_int_eq(pthread_join(thread, &sum), 0);
	ck_assert_uint_eq((uintptr_t)sum, 1 << 20);
	close(p[0]);
	buf_free(&b);
}
END_TEST

static const struct {
	const char *bytes;
	size_t n, consumed;
	uint32_t cp;
} sequences[] = {
	{ "a", 1, 1, 'a' },
	{ "\0", 1, 1, 0 },
	{ "\xc3\xa9", 2, 2, 0xe9 },
	{ "\xe2\x82\xac", 3, 3, 0x20ac },
	{ "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff },
	{ "\xf0\x90\x80\x80", 4, 4, 0x10000 },
	{ "\xc3", 1, 1, UTF8_BAD },             /* truncated */
	{ "\xe2\x82", 2, 2, UTF8_BAD },         /* truncated: one replacement */
	{ "\xe2\x82z", 3, 2, UTF8_BAD },        /* the z is kept */
	{ "\xc0\xaf", 2, 1, UTF8_BAD },         /* overlong / */
	{ "\xe0\x80\xaf", 3, 1, UTF8_BAD },     /* overlong */
	{ "\xed\xa0\x80", 3, 1, UTF8_BAD },     /* surrogate */
	{ "\xf4\x90\x80\x80", 4, 1, UTF8_BAD }, /* above U+10FFFF */
	{ "\xff", 1, 1, UTF8_BAD },
	{ "\x80", 1, 1, UTF8_BAD },
};

START_TEST(utf8_is_decoded)
{
	uint32_t cp;

	ck_assert_uint_eq(utf8_decode(sequences[_i].bytes, sequences[_i].n, &cp),
			  sequences[_i].consumed);
	ck_assert_uint_eq(cp, sequences[_i].cp);
}
END_TEST

START_TEST(texts_are_split)
{
	char lines[] = "one\ntwo\n\nthree\n", answers[] = "a, b,c", empty[] = "", ends[] = ", x";
	const char *at[4];

	ck_assert_uint_eq(split_text(lines, "\n", at, 4), 4);
	ck_assert_str_eq(at[0], "one");
	ck_assert_str_eq(at[1], "two");
	ck_assert_str_eq(at[2], "");
	ck_assert_str_eq(at[3], "three");
	ck_assert_uint_eq(split_text(answers, ", ", at, 4), 2);
	ck_assert_str_eq(at[0], "a");
	ck_assert_str_eq(at[1], "b,c");
	ck_assert_uint_eq(split_text(empty, ", ", at, 4), 0);
	ck_assert_uint_eq(split_text(ends, ", ", at, 1), 1); /* no room for the second */
	ck_assert_str_eq(at[0], "");
}
END_TEST

Suite *base_suite(void)
{
	Suite *s = suite_create("base");
	TCase *t = tcase_create("base");

	tcase_add_test(t, errors_name_the_command);
	tcase_add_test(t, errors_have_no_control_characters);
	tcase_add_test(t, long_errors_are_cut);
	tcase_add_test(t, error_numbers_have_messages);
	tcase_add_loop_test(t, time_is_exact, 0, ARRAY_LEN(times));
	tcase_add_loop_test(t, numbers_are_complete, 0, ARRAY_LEN(numbers));
	tcase_add_test(t, near_names_are_suggested);
	tcase_add_test(t, the_first_of_the_nearest_is_suggested);
	tcase_add_test(t, errors_have_names);
	tcase_add_test(t, buffer_appends);
	tcase_add_test(t, buffer_appends_any_length);
	tcase_add_test(t, buffer_keeps_out_of_memory);
	tcase_add_test(t, buffer_write_waits);
	tcase_add_test(t, texts_are_split);
	tcase_add_loop_test(t, utf8_is_decoded, 0, ARRAY_LEN(sequences));
	suite_add_tcase(s, t);
	return s;
}
