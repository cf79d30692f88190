/* SPDX-License-Identifier: MIT */
/* A growing byte buffer: append without checking each call, check once at the end for memory. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"

enum { READ_CHUNK = 1 << 16, SHORT_COPY_MAX = 32 };

#define CAP_MIN 256

/* Makes room for n more bytes. Doubles the capacity, so that many small appends cost linear
 * time. */
static bool ensure_room(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : CAP_MIN;
	char *data;

	if (b->nomem)
		return false;
	if (n <= b->cap - b->len)
		return true;
	if (n > SIZE_MAX / 2 - b->len)
		goto nomem;
	while (cap - b->len < n)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data)
		goto nomem;
	b->data = data;
	b->cap = cap;
	return true;
nomem:
	b->nomem = true;
	return false;
}

/* Most appends are a few bytes long (a JSON record is a hundred of them). For these, the call to a
 * memcpy() of unknown length costs more than the copy. n must not be 0. */
static void copy_bytes(char *to, const char *from, size_t n)
{
	if (n > SHORT_COPY_MAX) {
		memcpy(to, from, n);
	} else if (n >= 8) {
		for (size_t i = 0; i < n - 8; i += 8)
			memcpy(to + i, from + i, 8);
		memcpy(to + n - 8, from + n - 8, 8);
	} else if (n >= 4) {
		memcpy(to, from, 4);
		memcpy(to + n - 4, from + n - 4, 4);
	} else {
		to[0] = from[0];
		to[n / 2] = from[n / 2];
		to[n - 1] = from[n - 1];
	}
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (!n || !ensure_room(b, n))
		return;
	copy_bytes(b->data + b->len, bytes, n);
	b->len += n;
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	if (ensure_room(b, 1))
		b->data[b->len++] = c;
}

void buf_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + v % 10);
	while (v /= 10);
	buf_add(b, digits + n, sizeof(digits) - n);
}

void buf_fill(struct buf *b, char c, size_t n)
{
	if (!n || !ensure_room(b, n))
		return;
	memset(b->data + b->len, c, n);
	b->len += n;
}

void *buf_add_zeros(struct buf *b, size_t n)
{
	void *zeros;

	if (!ensure_room(b, n ? n : 1))
		return NULL;
	zeros = b->data + b->len;
	memset(zeros, 0, n);
	b->len += n;
	return zeros;
}

char *buf_reserve(struct buf *b, size_t n)
{
	return ensure_room(b, n ? n : 1) ? b->data + b->len : NULL;
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list retry_args;
	int n;

	if (!ensure_room(b, 1))
		return;
	va_copy(retry_args, ap);
	n = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
	if (n < 0)
		b->nomem = true;
	else if ((size_t)n >= b->cap - b->len && ensure_room(b, (size_t)n + 1))
		vsnprintf(b->data + b->len, b->cap - b->len, fmt, retry_args);
	va_end(retry_args);
	if (!b->nomem)
		b->len += (size_t)n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->nomem = false;
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

/* Handles a failed write. Returns 0 if the write may be retried, else -errno. */
static int wait_writable(int fd, int err)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (err == EINTR)
		return 0;
	if (err != EAGAIN && err != EWOULDBLOCK)
		return -err;
	/* The next write returns errors that poll(2) reports about fd, with a better errno. */
	return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

int buf_write(const struct buf *b, int fd)
{
	size_t done = 0;

	if (b->nomem)
		return -ENOMEM;
	while (done < b->len) {
		ssize_t n = write(fd, b->data + done, b->len - done);
		int err;

		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		err = n ? wait_writable(fd, errno) : -EIO;
		if (err)
			return err;
	}
	return 0;
}

int buf_read(struct buf *b, int fd, size_t max)
{
	ssize_t n = 1;

	while (n && (!max || b->len < max)) {
		char *at = buf_reserve(b, READ_CHUNK);

		if (!at)
			return -ENOMEM;
		n = read(fd, at, READ_CHUNK);
		if (n < 0 && errno != EINTR)
			return -errno;
		b->len += n > 0 ? (size_t)n : 0;
	}
	return 0;
}
