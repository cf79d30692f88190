/* SPDX-License-Identifier: MIT */
/* Errors: said once, where the words are known, as one line on stderr. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "base/utf8.h"

#define MESSAGE_MAX 1000 /* bytes; with prefix and tail a line stays far below PIPE_BUF */
#define LINE_MAX_   1400

static const char *command;
static struct err_capture held; /* where messages go instead of stderr; NULL: to stderr */

static const struct {
	int err;
	const char *words;
} table[] = {
	{ EPERM, "not permitted (needs root or more capabilities)" },
	{ EACCES, "permission denied" },
	{ ENOENT, "not found" },
	{ ENODEV, "no such interface or device" },
	{ EEXIST, "exists already" },
	{ EBUSY, "in use by another program" },
	{ ENOSYS, "this kernel does not have it" },
	{ EOPNOTSUPP, "not supported by this kernel or driver" },
	{ EPIPE, "the reader is gone" },
	{ ENOSPC, "no space left" },
	{ ENOMEM, "not enough memory" },
	{ E2BIG, "too large" },
	{ EINVAL, "not accepted by this kernel (invalid argument)" },
	{ EMFILE, "too many files open in this process (see ulimit -n)" },
	{ ENFILE, "too many files open on this host" },
	{ ETIMEDOUT, "no answer in time" },
	{ E_USAGE, "wrong usage" },
};

const char *err_message(int err)
{
	long long positive = llabs((long long)err); /* the least int has no counterpart in int */

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].err == positive)
			return table[i].words;
	return strerror((int)positive);
}

struct err_capture err_capture_begin(char *buf, size_t len)
{
	struct err_capture before = held;

	held = (struct err_capture){ buf, len };
	return before;
}

void err_capture_end(struct err_capture before)
{
	held = before;
}

bool err_is_captured(void)
{
	return held.buf != NULL;
}

void err_set_command(const char *name)
{
	command = name;
}

/* Everything here works without memory: running out of it must be said, too. */
struct line {
	char at[LINE_MAX_];
	size_t n;
};

/* Append what a terminal can show; '?' for the rest. Keeps one byte for the newline. */
static void add(struct line *l, const char *s)
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

/* Mark a message that was cut, behind its last whole character that leaves room for the mark. */
static void cut(char *msg)
{
	size_t room = MESSAGE_MAX - sizeof("..."), n = 0, next = 0;
	uint32_t cp;

	while (next <= room) {
		n = next;
		next += utf8_decode(msg + n, MESSAGE_MAX - 1 - n, &cp);
	}
	memcpy(msg + n, "...", sizeof("..."));
}

static void start(struct line *l)
{
	l->n = 0;
	if (held.buf)
		return;
	add(l, "sonde");
	if (command) {
		add(l, " ");
		add(l, command);
	}
	add(l, ": ");
}

static void add_message(struct line *l, const char *fmt, va_list ap)
{
	char msg[MESSAGE_MAX];
	int n = vsnprintf(msg, sizeof(msg), fmt, ap);

	if (n >= (int)sizeof(msg))
		cut(msg);
	add(l, n < 0 ? fmt : msg);
}

/* One write, so that lines of several processes stay whole. If stderr is gone nobody can be told.
 */
static void finish(struct line *l)
{
	ssize_t n;

	if (held.buf) {
		snprintf(held.buf, held.len, "%.*s", (int)l->n, l->at);
		return;
	}
	l->at[l->n++] = '\n';
	do
		n = write(STDERR_FILENO, l->at, l->n);
	while (n < 0 && errno == EINTR);
}

static void say(const char *fmt, va_list ap, const char *const *tail)
{
	int saved = errno;
	struct line l;

	start(&l);
	add_message(&l, fmt, ap);
	for (; *tail; tail++)
		add(&l, *tail);
	finish(&l);
	errno = saved;
}

int fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap, (const char *const[]){ NULL });
	va_end(ap);
	return err;
}

int fail_errno(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap, (const char *const[]){ ": ", err_message(err), NULL });
	va_end(ap);
	return err;
}

int fail_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap,
	    (const char *const[]){ " (see sonde ", command ? command : "", command ? " " : "",
				   "--help)", NULL });
	va_end(ap);
	return -E_USAGE;
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap, (const char *const[]){ NULL });
	va_end(ap);
}
