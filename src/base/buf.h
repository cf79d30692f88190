/* SPDX-License-Identifier: MIT */
/* A growing byte buffer: append without checking, ask once at the end whether memory sufficed. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* { 0 } is an empty buffer and may be freed. data is aligned for any type, and is not ended by NUL.
 */
struct buf {
	char *data;
	size_t len, cap;
	bool nomem; /* memory ran out: later appends do nothing, until buf_clear */
};

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t v); /* decimal */
void buf_fill(struct buf *b, char c, size_t n);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Append n zero bytes and return where they are (until the next append), NULL if memory ran out. */
void *buf_add_zeros(struct buf *b, size_t n);

/* Room for n more bytes behind what is there, which does not grow: the caller writes there and adds
 * to len. NULL if memory ran out. */
char *buf_reserve(struct buf *b, size_t n);

/* Empty it; the memory is kept for the next use. */
void buf_clear(struct buf *b);
void buf_free(struct buf *b);

/* Append what fd gives to its end, or until the buffer has most bytes or a few more; most 0: no
 * limit. 0 or -errno; -ENOMEM. */
int buf_read(struct buf *b, int fd, size_t most);

/* Write all of it to fd, waiting where a non-blocking fd would not take it. 0 or -errno; -ENOMEM,
 * with nothing written, if memory ran out while it was filled. */
int buf_write(const struct buf *b, int fd);

#endif
