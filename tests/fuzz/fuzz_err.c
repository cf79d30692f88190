/* SPDX-License-Identifier: MIT */
/* Any words in messages, said to holds within holds and to standard error. */
#define _GNU_SOURCE 1
#include "tests/fuzz/fuzz.h"
#include <sanitizer/common_interface_defs.h>
#include <sys/mman.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"

/* A message of more bytes is cut, to leave room for the mark. */
enum { MOST = 999, MARK = 3, LINE_ROOM = 8192 };

static int file = -1, kept = -1;

/* Whatever goes to standard error is looked at; the sanitizer's words go where they went. */
static void open_file(void)
{
	if (file >= 0)
		return;
	file = memfd_create("err", MFD_CLOEXEC);
	kept = dup(STDERR_FILENO);
	MUST(file >= 0 && kept >= 0);
	__sanitizer_set_report_fd((void *)(intptr_t)kept);
}

/* The characters that end within max bytes of the words, as a terminal may have them. */
static void clean(struct buf *b, const char *s, size_t max)
{
	size_t left = strlen(s);

	while (left) {
		uint32_t cp;
		size_t n = utf8_decode(s, left, &cp);

		if (n > max)
			return;
		if (cp == UTF8_BAD || utf8_is_control(cp))
			buf_char(b, '?');
		else
			buf_add(b, s, n);
		s += n;
		left -= n;
		max -= n;
	}
}

/* Whole words come out whole; longer ones are cut between two characters, and marked. */
static void check_words(const char *got, size_t len, const char *words)
{
	bool whole = strlen(words) <= MOST;
	struct buf want = { 0 };

	clean(&want, words, whole ? MOST : MOST - MARK);
	if (!whole)
		buf_str(&want, "...");
	MUST(len == want.len && (!len || !memcmp(got, want.data, len)));
	buf_free(&want);
}

enum { FAIL, FAIL_ERRNO, FAIL_USAGE, NOTE, KINDS };

static void say(unsigned int kind, const char *words, int err)
{
	switch (kind) {
	case FAIL:
		MUST(fail(err, "%s", words) == err);
		break;
	case FAIL_ERRNO:
		MUST(fail_errno(err, "%s", words) == err);
		break;
	case FAIL_USAGE:
		MUST(fail_usage("%s", words) == -E_USAGE);
		break;
	default:
		note("%s", words);
		break;
	}
}

static void check_line(unsigned int kind, const char *words, int err, const char *command,
		       const char *got, bool held)
{
	char head[64] = "", tail[256] = "";
	size_t len = strlen(got);

	if (!held)
		snprintf(head, sizeof(head), "sonde%s%s: ", command ? " " : "",
			 command ? command : "");
	if (kind == FAIL_ERRNO)
		snprintf(tail, sizeof(tail), ": %s", err_message(err));
	if (kind == FAIL_USAGE)
		snprintf(tail, sizeof(tail), " (see sonde %s%s--help)", command ? command : "",
			 command ? " " : "");
	if (!held)
		strcat(tail, "\n");
	MUST(len >= strlen(head) + strlen(tail));
	MUST(!strncmp(got, head, strlen(head)));
	MUST(!strcmp(got + len - strlen(tail), tail));
	check_words(got + strlen(head), len - strlen(head) - strlen(tail), words);
}

static void say_aloud(unsigned int kind, const char *words, int err, const char *command)
{
	char got[LINE_ROOM];
	int number;

	MUST(dup2(file, STDERR_FILENO) == STDERR_FILENO);
	errno = E2BIG;
	say(kind, words, err);
	number = errno;
	MUST(dup2(kept, STDERR_FILENO) == STDERR_FILENO);
	MUST(number == E2BIG);
	MUST(taken_from(file, got, sizeof(got)) == strlen(got));
	check_line(kind, words, err, command, got, false);
}

/* Short holds have the beginning of what a long one has. */
static void say_held(unsigned int kind, const char *words, int err, const char *command, size_t len)
{
	char got[LINE_ROOM] = "?", *small = malloc(len);
	struct err_capture before = err_capture_begin(got, sizeof(got)), between;

	MUST(small && err_is_captured());
	say(kind, words, err);
	check_line(kind, words, err, command, got, true);
	between = err_capture_begin(small, len);
	MUST(between.buf == got && between.len == sizeof(got));
	got[0] = '\0';
	say(kind, words, err);
	MUST(!got[0] && strnlen(small, len) < len);
	err_capture_end(between);
	say(kind, words, err);
	MUST(!strncmp(got, small, strlen(small)));
	MUST(strlen(small) == len - 1 || !strcmp(got, small));
	err_capture_end(before);
	free(small);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed f = { data, size };
	uint8_t how = feed_u8(&f), room = feed_u8(&f);
	int err = -(int)(feed_u8(&f) % 135) - (how & 0x80 ? E_USAGE : 0);
	const char *command = how & 0x10 ? "count" : NULL;
	char *words;

	open_file();
	err_set_command(command);
	while (f.left) {
		words = feed_str(&f, f.left);
		say_held(how % KINDS, words, err, command, 1 + room * (how & 0x20 ? 8U : 1U));
		MUST(!err_is_captured());
		say_aloud(how % KINDS, words, err, command);
		free(words);
	}
	err_set_command(NULL);
	return 0;
}
