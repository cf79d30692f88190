/* SPDX-License-Identifier: MIT */
/* Unpacking, compared with the library that packs. */
#include <check.h>
#include <errno.h>
#include <lz4.h>
#include <lz4hc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/unpack.h"
#include "tests/unit/suites.h"

enum { SIZE_MOST = 70000, ROUNDS = 300 / UNIT_STRIDE, LAST = 12 };

static uint32_t seed;

static uint32_t draw_number(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Allocates exactly the length, so that the sanitizer detects accesses past it. */
struct bytes {
	uint8_t *at;
	size_t len;
};

static struct bytes bytes_of(const void *from, size_t len)
{
	struct bytes b = { malloc(len ? len : 1), len };

	ck_assert_ptr_nonnull(b.at);
	if (from && len)
		memcpy(b.at, from, len);
	return b;
}

static struct bytes pack_bytes(const struct bytes *plain)
{
	struct bytes room = bytes_of(NULL, (size_t)LZ4_compressBound((int)plain->len)), b;
	int n = LZ4_compress_HC((char *)plain->at, (char *)room.at, (int)plain->len, (int)room.len,
				LZ4HC_CLEVEL_MAX);

	ck_assert_int_gt(n, 0);
	b = bytes_of(room.at, (size_t)n);
	free(room.at);
	return b;
}

/* Random data with repetitions: near or far, short or long. */
static struct bytes make_repetitive(size_t len)
{
	struct bytes b = bytes_of(NULL, len);

	for (size_t at = 0; at < len;) {
		size_t n = 1 + draw_number(draw_number(8) ? 20 : 2000);
		size_t back =
			at && draw_number(3) ? 1 + draw_number(draw_number(2) ? 8 : 66000) : 0;

		if (back > at)
			back = 0;
		for (; n && at < len; n--, at++)
			b.at[at] = back ? b.at[at - back] : (uint8_t)draw_number(256);
	}
	return b;
}

static int unpack_block(const struct bytes *block, struct bytes *to)
{
	return unpack_lz4(block->at, block->len, to->at, to->len);
}

static void assert_unpacks(const struct bytes *plain)
{
	struct bytes block = pack_bytes(plain), to = bytes_of(NULL, plain->len);

	ck_assert_int_eq(unpack_block(&block, &to), 0);
	ck_assert(!plain->len || !memcmp(to.at, plain->at, plain->len));
	/* The size must match exactly. */
	ck_assert_int_eq(unpack_lz4(block.at, block.len, to.at, to.len - (to.len > 0)),
			 to.len ? -EBADMSG : 0);
	free(to.at);
	to = bytes_of(NULL, plain->len + 1);
	ck_assert_int_eq(unpack_block(&block, &to), -EBADMSG);
	free(to.at);
	free(block.at);
}

START_TEST(packed_data_unpacks)
{
	seed = 1;
	for (int i = 0; i < ROUNDS; i++) {
		struct bytes plain = make_repetitive(draw_number(i % 10 ? 3000 : SIZE_MOST));

		assert_unpacks(&plain);
		free(plain.at);
	}
}
END_TEST

/* Data that does not compress, constant data, and none. */
START_TEST(extreme_data_unpacks)
{
	for (size_t len = 0; len < 600; len += UNIT_STRIDE) {
		struct bytes plain = bytes_of(NULL, len);

		memset(plain.at, 7, len);
		assert_unpacks(&plain);
		for (size_t i = 0; i < len; i++)
			plain.at[i] = (uint8_t)draw_number(256);
		assert_unpacks(&plain);
		free(plain.at);
	}
}
END_TEST

static uint8_t *put_length(uint8_t *at, size_t n)
{
	for (; n >= 255; n -= 255)
		*at++ = 255;
	*at++ = (uint8_t)n;
	return at;
}

/* A block of `back` literal bytes, a match of n bytes, and the literals that end every block. */
static struct bytes block_of(size_t back, size_t n)
{
	uint8_t room[1024], *at = room;

	*at++ = (uint8_t)((back < 15 ? back : 15) << 4 | (n - 4 < 15 ? n - 4 : 15));
	if (back >= 15)
		at = put_length(at, back - 15);
	for (size_t i = 0; i < back; i++)
		*at++ = (uint8_t)(i * 7 + 1);
	*at++ = (uint8_t)back;
	*at++ = (uint8_t)(back >> 8);
	if (n - 4 >= 15)
		at = put_length(at, n - 4 - 15);
	*at++ = LAST << 4;
	memset(at, 'z', LAST);
	return bytes_of(room, (size_t)(at + LAST - room));
}

/* Lengths around those that need one more length byte, for matches that overlap and that do not. */
START_TEST(every_length_and_overlap_unpacks)
{
	for (size_t back = 1; back < 300; back += back < 20 || back > 260 ? 1 : UNIT_STRIDE)
		for (size_t n = 4; n < 300; n += n < 20 || n > 260 ? UNIT_STRIDE : 7) {
			struct bytes block = block_of(back, n);
			struct bytes to = bytes_of(NULL, back + n + LAST);
			struct bytes want = bytes_of(NULL, to.len);

			ck_assert_int_eq(LZ4_decompress_safe((char *)block.at, (char *)want.at,
							     (int)block.len, (int)want.len),
					 (int)want.len);
			ck_assert_int_eq(unpack_block(&block, &to), 0);
			ck_assert_mem_eq(to.at, want.at, to.len);
			free(want.at);
			free(to.at);
			free(block.at);
		}
}
END_TEST

START_TEST(truncated_blocks_are_refused)
{
	struct bytes plain, block, to;

	seed = 2;
	plain = make_repetitive(6000);
	block = pack_bytes(&plain);
	to = bytes_of(NULL, plain.len);
	for (size_t len = 0; len < block.len; len += UNIT_STRIDE) {
		struct bytes part = bytes_of(block.at, len);

		ck_assert_int_eq(unpack_block(&part, &to), -EBADMSG);
		free(part.at);
	}
	free(to.at);
	free(block.at);
	free(plain.at);
}
END_TEST

/* Every byte changed to every value: refused, or the same bytes as the library's. Blocks that the
 * library accepts may be refused only for the rules about a block's end. */
START_TEST(damaged_blocks_are_safe)
{
	struct bytes plain, block, to, want;

	seed = 3;
	plain = make_repetitive(700);
	block = pack_bytes(&plain);
	to = bytes_of(NULL, plain.len);
	want = bytes_of(NULL, plain.len);
	for (size_t at = 0; at < block.len; at += UNIT_STRIDE)
		for (int change = 1; change < 256; change += change < 16 ? 1 : 11) {
			block.at[at] ^= (uint8_t)change;
			int rc = unpack_block(&block, &to);
			int n = LZ4_decompress_safe((char *)block.at, (char *)want.at,
						    (int)block.len, (int)want.len);

			ck_assert(rc == 0 || rc == -EBADMSG);
			if (!rc && n == (int)want.len)
				ck_assert_mem_eq(to.at, want.at, to.len);
			block.at[at] ^= (uint8_t)change;
		}
	free(want.at);
	free(to.at);
	free(block.at);
	free(plain.at);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len, size;
	int rc;
} blocks[] = {
	{ "", 0, 0, -EBADMSG }, /* even empty data has a token */
	{ "\0", 1, 0, 0 },
	{ "\x10z", 2, 1, 0 },
	{ "\x10z", 2, 2, -EBADMSG },
	{ "\x20z", 2, 2, -EBADMSG },
	{ "\xf0", 1, 15, -EBADMSG },
	{ "\xf0\xff", 2, 270, -EBADMSG },
	{ "\x10z\1\0", 4, 5, -EBADMSG }, /* ends after a match */
	{ "\x10z\1\0\0", 5, 5, 0 },
	{ "\x10z\0\0\0", 5, 5, -EBADMSG }, /* from 0 bytes before */
	{ "\x10z\2\0\0", 5, 5, -EBADMSG }, /* from before the start */
	{ "\x10z\1", 3, 5, -EBADMSG },
	{ "\x10z\1\0\0", 5, 4, -EBADMSG },
	{ "\x10z\1\1\0", 5, 5, -EBADMSG },
	{ "\0\1\0\0", 4, 4, -EBADMSG }, /* of nothing */
};

START_TEST(edge_cases_of_blocks)
{
	struct bytes block = bytes_of(blocks[_i].bytes, blocks[_i].len);
	struct bytes to = bytes_of(NULL, blocks[_i].size);

	ck_assert_int_eq(unpack_block(&block, &to), blocks[_i].rc);
	free(to.at);
	free(block.at);
}
END_TEST

Suite *unpack_suite(void)
{
	Suite *s = suite_create("unpack");
	TCase *t = tcase_create("unpack");

	tcase_add_test(t, packed_data_unpacks);
	tcase_add_test(t, extreme_data_unpacks);
	tcase_add_test(t, every_length_and_overlap_unpacks);
	tcase_add_test(t, truncated_blocks_are_refused);
	tcase_add_test(t, damaged_blocks_are_safe);
	tcase_add_loop_test(t, edge_cases_of_blocks, 0, ARRAY_LEN(blocks));
	suite_add_tcase(s, t);
	return s;
}
