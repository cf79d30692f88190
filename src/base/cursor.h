/* SPDX-License-Identifier: MIT */
/* Reads untrusted bytes: checks every length before it reads a byte. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The unread rest of a byte range. A read past the end returns zeros and sets cut, which stays set:
 * read a whole header, then check cut once. A zeroed cursor is empty. */
struct cursor {
	const uint8_t *at;
	size_t left;
	bool cut;
};

static inline struct cursor cursor_of(const void *data, size_t len)
{
	return (struct cursor){ .at = data, .left = len };
}

/* Returns the next n bytes and moves past them. If fewer are left: NULL, the cursor is empty and
 * cut is set. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t n)
{
	const uint8_t *at = c->at;

	if (n > c->left) {
		*c = (struct cursor){ .cut = true };
		return NULL;
	}
	if (n) { /* adding to NULL is undefined */
		c->at += n;
		c->left -= n;
	}
	return at;
}

static inline bool cursor_skip(struct cursor *c, size_t n)
{
	return cursor_take(c, n) || !n;
}

/* Splits off the next n bytes as a cursor. If fewer are left, the new cursor gets all of them and
 * its cut is set. */
static inline struct cursor cursor_sub(struct cursor *c, size_t n)
{
	struct cursor sub = { c->at, n, false };

	if (n > c->left) {
		sub.left = c->left;
		sub.cut = true;
		cursor_take(c, c->left);
		return sub;
	}
	cursor_take(c, n);
	return sub;
}

/* Read big-endian numbers from bytes that cursor_take() returned. */
static inline uint16_t be16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);

	return p ? *p : 0;
}

static inline uint16_t cursor_be16(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 2);

	return p ? be16_at(p) : 0;
}

static inline uint32_t cursor_be32(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 4);

	return p ? be32_at(p) : 0;
}

static inline uint64_t cursor_be64(struct cursor *c)
{
	uint64_t high = cursor_be32(c);

	return high << 32 | cursor_be32(c);
}

#endif
