/* SPDX-License-Identifier: MIT */
/* Error messages: one line on stderr, reported once, where the cause is known. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "base/array.h"
#include "base/utf8.h"

#define MESSAGE_MAX 1000 /* bytes; with prefix and suffix a line stays far below PIPE_BUF */
#define LINE_MAX_   1400

static const char *command;
static struct err_capture capture; /* where messages go; buf NULL: to stderr */

static const struct {
	int err;
	const char *text;
} messages[] = {
	{ EPERM, "not permitted (needs root or more capabilities)" },
	{ EACCES, "permission denied" },
	{ ENOENT, "not found" },
	{ ENODEV, "no such interface or device" },
	{ EEXIST, "already exists" },
	{ EBUSY, "in use by another program" },
	{ ENOSYS, "not available in this kernel" },
	{ EOPNOTSUPP, "not supported by this kernel or driver" },
	{ EPIPE, "the reader is gone" },
	{ ENOSPC, "no space left" },
	{ EDQUOT, "disk quota exceeded" },
	{ EFBIG, "file too large" },
	{ EISDIR, "is a directory" },
	{ ENOTDIR, "not a directory" },
	{ EROFS, "read-only file system" },
	{ ENAMETOOLONG, "name too long" },
	{ ELOOP, "too many symbolic links" },
	{ EIO, "input/output error" },
	{ ESRCH, "no such process" },
	{ ENOMEM, "not enough memory" },
	{ E2BIG, "too large" },
	{ EINVAL, "not accepted by this kernel (invalid argument)" },
	{ EMFILE, "too many files open in this process (see ulimit -n)" },
	{ ENFILE, "too many files open on this host" },
	{ ETIMEDOUT, "timed out" },
	{ E_USAGE, "wrong usage" },
};

const char *err_message(int err)
{
	long long positive = llabs((long long)err); /* -INT_MIN does not fit in an int */

	for (size_t i = 0; i < ARRAY_LEN(messages); i++)
		if (messages[i].err == positive)
			return messages[i].text;
	return strerror((int)positive);
}

struct err_capture err_capture_begin(char *buf, size_t len)
{
	struct err_capture before = capture;

	capture = (struct err_capture){ buf, len };
	return before;
}

void err_capture_end(struct err_capture before)
{
	capture = before;
}

bool err_is_captured(void)
{
	return capture.buf != NULL;
}

void err_set_command(const char *name)
{
	command = name;
}

/* No allocation in this file: it also reports that memory ran out. */
struct err_line {
	char at[LINE_MAX_];
	size_t n;
};

/* Appends text; replaces bytes that are not printable UTF-8 by '?'. Leaves one byte for the
 * newline. */
static void append_text(struct err_line *l, const char *s)
{
	size_t left = strlen(s);

	while (left) {
		uint32_t cp;
		size_t n = utf8_decode(s, left, &cp);
		bool shown = cp != UTF8_BAD && !utf8_is_control(cp);

		if (l->n + (shown ? n : 1) >= sizeof(l->at))
			return;
		memcpy(l->at + l->n, shown ? s : "?", shown ? n : 1);
		l->n += shown ? n : 1;
		s += n;
		left -= n;
	}
}

/* Ends a truncated message with "...", after the last whole character that leaves room for it. */
static void mark_truncated(char *msg)
{
	size_t room = MESSAGE_MAX - sizeof("..."), n = 0, next = 0;
	uint32_t cp;

	while (next <= room) {
		n = next;
		next += utf8_decode(msg + n, MESSAGE_MAX - 1 - n, &cp);
	}
	memcpy(msg + n, "...", sizeof("..."));
}

static void begin_line(struct err_line *l)
{
	l->n = 0;
	if (capture.buf)
		return;
	append_text(l, "sonde");
	if (command) {
		append_text(l, " ");
		append_text(l, command);
	}
	append_text(l, ": ");
}

static void add_message(struct err_line *l, const char *fmt, va_list ap)
{
	char msg[MESSAGE_MAX];
	int n = vsnprintf(msg, sizeof(msg), fmt, ap);

	if (n >= (int)sizeof(msg))
		mark_truncated(msg);
	append_text(l, n < 0 ? fmt : msg);
}

/* Uses a single write(2), so that lines of several processes do not mix. Errors of stderr itself
 * cannot be reported. */
static void write_line(struct err_line *l)
{
	ssize_t n;

	if (capture.buf) {
		snprintf(capture.buf, capture.len, "%.*s", (int)l->n, l->at);
		return;
	}
	l->at[l->n++] = '\n';
	do
		n = write(STDERR_FILENO, l->at, l->n);
	while (n < 0 && errno == EINTR);
}

static void report_message(const char *fmt, va_list ap, const char *const *tail)
{
	int saved = errno;
	struct err_line l;

	begin_line(&l);
	add_message(&l, fmt, ap);
	for (; *tail; tail++)
		append_text(&l, *tail);
	write_line(&l);
	errno = saved;
}

int fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_message(fmt, ap, (const char *const[]){ NULL });
	va_end(ap);
	return err;
}

int fail_errno(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_message(fmt, ap, (const char *const[]){ ": ", err_message(err), NULL });
	va_end(ap);
	return err;
}

int fail_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_message(fmt, ap,
		       (const char *const[]){ " (see sonde ", command ? command : "",
					      command ? " " : "", "--help)", NULL });
	va_end(ap);
	return -E_USAGE;
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_message(fmt, ap, (const char *const[]){ NULL });
	va_end(ap);
}
