/* SPDX-License-Identifier: MIT */
/* Any bytes as a packed block, and any bytes packed and unpacked. */
#include "tests/fuzz/fuzz.h"
#include <errno.h>
#include <lz4.h>
#include <lz4hc.h>
#include "base/unpack.h"

/* Accepts what the library accepts, except for a match at offset 0. */
static void check_block(const uint8_t *block, size_t len, size_t size)
{
	uint8_t *to = malloc(size + 1), *want = malloc(size + 1);
	int rc, n;

	MUST(to && want);
	rc = unpack_lz4(block, len, to, size);
	MUST(rc == 0 || rc == -EBADMSG);
	n = LZ4_decompress_safe((const char *)block, (char *)want, (int)len, (int)size);
	MUST(rc || n != (int)size || !memcmp(to, want, size));
	free(want);
	free(to);
}

static void check_return(const uint8_t *data, size_t len)
{
	int room = LZ4_compressBound((int)len), n;
	uint8_t *block = malloc((size_t)room), *to = malloc(len + 1);

	MUST(block && to);
	n = LZ4_compress_HC((const char *)data, (char *)block, (int)len, room, LZ4HC_CLEVEL_MAX);
	MUST(n > 0 && !unpack_lz4(block, (size_t)n, to, len) && !memcmp(to, data, len));
	free(to);
	free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed f = { data, size };
	size_t room = feed_u8(&f);
	uint8_t *own;

	room |= (size_t)feed_u8(&f) << 8;
	own = malloc(f.left + 1);
	MUST(own);
	if (f.left)
		memcpy(own + 1, f.at, f.left); /* up to the end of the allocation */
	check_block(own + 1, f.left, room);
	check_return(own + 1, f.left);
	free(own);
	return 0;
}
