/* SPDX-License-Identifier: MIT */
/* LZ4's block format: sequences of some bytes as they are and some that were there before. */
#include "base/unpack.h"
#include <errno.h>
#include <string.h>
#include "base/cursor.h"

enum { MATCH_MIN = 4, NIBBLE_MAX = 15 };

/* A length: four bits, and bytes to add as long as each is the largest. */
static size_t length_of(struct cursor *c, unsigned int nibble)
{
	size_t n = nibble;
	uint8_t more;

	if (nibble < NIBBLE_MAX)
		return n;
	do {
		more = cursor_u8(c);
		n += more;
	} while (more == UINT8_MAX);
	return n;
}

/* n bytes from back bytes before. Where they overlap they repeat themselves, so what was copied can
 * be copied again: twice as much each time. */
static void repeat(uint8_t *to, size_t back, size_t n)
{
	while (n) {
		size_t some = n < back ? n : back;

		memcpy(to, to - back, some);
		to += some;
		back += some;
		n -= some;
	}
}

int unpack(const void *block, size_t len, void *to, size_t size)
{
	struct cursor c = cursor_of(block, len);
	uint8_t *at = to, *end = at + size;
	const uint8_t *literals;
	uint8_t token;
	size_t n, back;

	if (len > SIZE_MAX / UINT8_MAX - 1) /* what a sum of so many bytes may be has to fit */
		return -EBADMSG;
	for (;;) {
		token = cursor_u8(&c);
		n = length_of(&c, token >> 4);
		literals = cursor_take(&c, n);
		if (c.cut || n > (size_t)(end - at))
			return -EBADMSG;
		if (n)
			memcpy(at, literals, n);
		at += n;
		if (!c.left) /* the last sequence has nothing more */
			return at == end ? 0 : -EBADMSG;
		back = cursor_u8(&c);
		back |= (size_t)cursor_u8(&c) << 8;
		n = length_of(&c, token & NIBBLE_MAX) + MATCH_MIN;
		if (c.cut || !back || back > (size_t)(at - (uint8_t *)to) || n > (size_t)(end - at))
			return -EBADMSG;
		repeat(at, back, n);
		at += n;
	}
}
