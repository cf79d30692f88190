/* SPDX-License-Identifier: MIT */
/* LZ4's block format: sequences of literal bytes, each followed by a match (a copy of earlier
 * output). */
#include "base/unpack.h"
#include <errno.h>
#include <string.h>
#include "base/cursor.h"

enum { MATCH_MIN = 4, NIBBLE_MAX = 15 };

/* Reads a length: four bits, then bytes that are added as long as each is 255. */
static size_t read_length(struct cursor *c, unsigned int nibble)
{
	size_t n = nibble;
	uint8_t byte;

	if (nibble < NIBBLE_MAX)
		return n;
	do {
		byte = cursor_u8(c);
		n += byte;
	} while (byte == UINT8_MAX);
	return n;
}

/* Copies n bytes that start offset bytes before to. The ranges may overlap: then it copies twice as
 * much in each step. */
static void copy_match(uint8_t *to, size_t offset, size_t n)
{
	while (n) {
		size_t chunk = n < offset ? n : offset;

		memcpy(to, to - offset, chunk);
		to += chunk;
		offset += chunk;
		n -= chunk;
	}
}

int unpack_lz4(const void *block, size_t len, void *to, size_t size)
{
	struct cursor c = cursor_of(block, len);
	uint8_t *at = to, *end = at + size;
	const uint8_t *literals;
	uint8_t token;
	size_t n, offset;

	if (len > SIZE_MAX / UINT8_MAX - 1) /* lengths are sums of up to len bytes of 255 */
		return -EBADMSG;
	for (;;) {
		token = cursor_u8(&c);
		n = read_length(&c, token >> 4);
		literals = cursor_take(&c, n);
		if (c.cut || n > (size_t)(end - at))
			return -EBADMSG;
		if (n)
			memcpy(at, literals, n);
		at += n;
		if (!c.left) /* the last sequence has no match */
			return at == end ? 0 : -EBADMSG;
		offset = cursor_u8(&c);
		offset |= (size_t)cursor_u8(&c) << 8;
		n = read_length(&c, token & NIBBLE_MAX) + MATCH_MIN;
		if (c.cut || !offset || offset > (size_t)(at - (uint8_t *)to) ||
		    n > (size_t)(end - at))
			return -EBADMSG;
		copy_match(at, offset, n);
		at += n;
	}
}
