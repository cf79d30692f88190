/* SPDX-License-Identifier: MIT */
/* A growing byte buffer: append without checking each call, check once at the end for memory. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed struct is an empty buffer and may be freed. data is aligned for any type and not
 * NUL-terminated. */
struct buf {
	char *data;
	size_t len, cap;
	bool nomem; /* an allocation failed: appends do nothing until buf_clear() */
};

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t v); /* decimal */
void buf_fill(struct buf *b, char c, size_t n);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Appends n zero bytes and returns a pointer to them, valid until the next append. NULL: out of
 * memory. */
void *buf_add_zeros(struct buf *b, size_t n);

/* Makes room for n more bytes after the contents without changing len: the caller writes them and
 * adds to len. NULL: out of memory. */
char *buf_reserve(struct buf *b, size_t n);

/* Empties the buffer and keeps its memory for reuse. */
void buf_clear(struct buf *b);
void buf_free(struct buf *b);

/* Appends from fd until end of file or until len reaches max (it may exceed max by less than one
 * read); max 0: no limit. Returns 0 or -errno. */
int buf_read(struct buf *b, int fd, size_t max);

/* Writes the whole buffer to fd; polls if fd is non-blocking. Returns 0 or -errno; -ENOMEM, without
 * writing anything, if an append failed before. */
int buf_write(const struct buf *b, int fd);

#endif
