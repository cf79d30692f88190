/* SPDX-License-Identifier: MIT */
/* Any text in error messages, written to nested captures and to stderr. */
#define _GNU_SOURCE 1
#include "tests/fuzz/fuzz.h"
#include <sanitizer/common_interface_defs.h>
#include <sys/mman.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"

/* Longer messages are cut to leave space for the mark. */
enum { MOST = 999, MARK = 3, LINE_ROOM = 8192 };

static int file = -1, saved_stderr = -1;

/* Redirects stderr to a file that is checked. The sanitizer keeps the original stderr. */
static void open_file(void)
{
	if (file >= 0)
		return;
	file = memfd_create("err", MFD_CLOEXEC);
	saved_stderr = dup(STDERR_FILENO);
	MUST(file >= 0 && saved_stderr >= 0);
	__sanitizer_set_report_fd((void *)(intptr_t)saved_stderr);
}

/* Appends the printable form of the characters that end within max bytes. */
static void add_printable(struct buf *b, const char *s, size_t max)
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

/* A short text is written whole. A longer one is cut between characters and marked. */
static void check_text(const char *got, size_t len, const char *text)
{
	bool whole = strlen(text) <= MOST;
	struct buf want = { 0 };

	add_printable(&want, text, whole ? MOST : MOST - MARK);
	if (!whole)
		buf_str(&want, "...");
	MUST(len == want.len && (!len || !memcmp(got, want.data, len)));
	buf_free(&want);
}

enum { FAIL, FAIL_ERRNO, FAIL_USAGE, NOTE, KINDS };

static void emit_message(unsigned int kind, const char *text, int err)
{
	switch (kind) {
	case FAIL:
		MUST(fail(err, "%s", text) == err);
		break;
	case FAIL_ERRNO:
		MUST(fail_errno(err, "%s", text) == err);
		break;
	case FAIL_USAGE:
		MUST(fail_usage("%s", text) == -E_USAGE);
		break;
	default:
		note("%s", text);
		break;
	}
}

static void check_line(unsigned int kind, const char *text, int err, const char *command,
		       const char *got, bool captured)
{
	char head[64] = "", tail[256] = "";
	size_t len = strlen(got);

	if (!captured)
		snprintf(head, sizeof(head), "sonde%s%s: ", command ? " " : "",
			 command ? command : "");
	if (kind == FAIL_ERRNO)
		snprintf(tail, sizeof(tail), ": %s", err_message(err));
	if (kind == FAIL_USAGE)
		snprintf(tail, sizeof(tail), " (see sonde %s%s--help)", command ? command : "",
			 command ? " " : "");
	if (!captured)
		strcat(tail, "\n");
	MUST(len >= strlen(head) + strlen(tail));
	MUST(!strncmp(got, head, strlen(head)));
	MUST(!strcmp(got + len - strlen(tail), tail));
	check_text(got + strlen(head), len - strlen(head) - strlen(tail), text);
}

static void check_stderr(unsigned int kind, const char *text, int err, const char *command)
{
	char got[LINE_ROOM];
	int number;

	MUST(dup2(file, STDERR_FILENO) == STDERR_FILENO);
	errno = E2BIG;
	emit_message(kind, text, err);
	number = errno;
	MUST(dup2(saved_stderr, STDERR_FILENO) == STDERR_FILENO);
	MUST(number == E2BIG);
	MUST(take_output(file, got, sizeof(got)) == strlen(got));
	check_line(kind, text, err, command, got, false);
}

/* A short capture holds the start of what a long one holds. */
static void check_captured(unsigned int kind, const char *text, int err, const char *command,
			   size_t len)
{
	char got[LINE_ROOM] = "?", *small = malloc(len);
	struct err_capture before = err_capture_begin(got, sizeof(got)), between;

	MUST(small && err_is_captured());
	emit_message(kind, text, err);
	check_line(kind, text, err, command, got, true);
	between = err_capture_begin(small, len);
	MUST(between.buf == got && between.len == sizeof(got));
	got[0] = '\0';
	emit_message(kind, text, err);
	MUST(!got[0] && strnlen(small, len) < len);
	err_capture_end(between);
	emit_message(kind, text, err);
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
	char *text;

	open_file();
	err_set_command(command);
	while (f.left) {
		text = feed_str(&f, f.left);
		check_captured(how % KINDS, text, err, command, 1 + room * (how & 0x20 ? 8U : 1U));
		MUST(!err_is_captured());
		check_stderr(how % KINDS, text, err, command);
		free(text);
	}
	err_set_command(NULL);
	return 0;
}
