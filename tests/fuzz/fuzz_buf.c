/* SPDX-License-Identifier: MIT */
/* Any sequence of appends to a buffer and to a growing array, compared with a plain copy. */
#define _GNU_SOURCE 1
#include "tests/fuzz/fuzz.h"
#include <errno.h>
#include <sys/mman.h>
#include "base/array.h"
#include "base/buf.h"

enum { ROOM = 1 << 18, MOST = 4096 };

/* What the buffer must contain. */
static struct {
	char at[ROOM];
	size_t len;
	bool nomem;
} want;

static void want_bytes(const void *bytes, size_t n)
{
	if (want.nomem)
		return;
	memcpy(want.at + want.len, bytes, n);
	want.len += n;
}

static void want_fill(char c, size_t n)
{
	if (want.nomem)
		return;
	memset(want.at + want.len, c, n);
	want.len += n;
}

/* Picks a size that is often close to the free capacity. */
static size_t pick_size(struct feed *f, const struct buf *b)
{
	uint8_t how = feed_u8(f);
	size_t left = b->cap - b->len;

	if (how & 0x80 && left && left < MOST)
		return left - 1 + how % 3;
	return (how & 0x7fU) * (how & 0x40 ? 32 : 1);
}

static void append_printf(struct buf *b, const char *s, int width)
{
	char *text = NULL;
	int n = asprintf(&text, "<%s|%*d>", s, width, -width);

	MUST(n >= 0);
	buf_printf(b, "<%s|%*d>", s, width, -width);
	want_bytes(text, (size_t)n);
	free(text);
}

static void append_zeros(struct buf *b, size_t n)
{
	uint8_t *at = buf_add_zeros(b, n);

	MUST(!at == want.nomem);
	for (size_t i = 0; at && i < n; i++) {
		MUST(!at[i]);
		at[i] = (uint8_t)i;
	}
	for (size_t i = 0; i < n; i++)
		want_bytes(&(char){ (char)i }, 1);
}

/* Appends more than memory holds: it fails, and later appends do nothing until the buffer is
 * cleared. */
static void append_too_much(struct buf *b, uint8_t how)
{
	size_t n = SIZE_MAX - how;

	if (how & 1)
		buf_fill(b, 'x', n);
	else if (how & 2)
		MUST(!buf_add_zeros(b, n));
	else
		buf_add(b, b, n);
	want.nomem = true;
}

static void check_written(const struct buf *b)
{
	static char got[ROOM];
	static int file = -1;
	int rc;

	if (file < 0)
		file = memfd_create("buf", MFD_CLOEXEC);
	rc = buf_write(b, file);
	MUST(rc == (b->nomem ? -ENOMEM : 0));
	MUST(take_output(file, got, sizeof(got)) == (rc ? 0 : b->len));
	MUST(rc || !b->len || !memcmp(got, want.at, b->len));
}

static void append_any(struct buf *b, struct feed *f)
{
	uint8_t what = feed_u8(f), c = feed_u8(f);
	size_t n = pick_size(f, b);
	char *s = feed_str(f, c % 64);

	switch (what % 8) {
	case 0:
		buf_add(b, s, strlen(s) + 1);
		want_bytes(s, strlen(s) + 1);
		break;
	case 1:
		buf_str(b, s);
		want_bytes(s, strlen(s));
		break;
	case 2:
		buf_char(b, (char)c);
		want_bytes(&c, 1);
		break;
	case 3:
		buf_fill(b, (char)c, n);
		want_fill((char)c, n);
		break;
	case 4:
		append_printf(b, s, (int)n);
		break;
	case 5:
		append_zeros(b, n);
		break;
	case 6:
		check_written(b);
		break;
	default:
		if (c < 0x40)
			append_too_much(b, c);
		else if (c < 0x80)
			buf_clear(b);
		else
			buf_free(b);
		want.nomem = want.nomem && c < 0x40;
		want.len = c < 0x40 ? want.len : 0;
		break;
	}
	free(s);
}

static void check_array(const uint8_t *data, size_t n, size_t size)
{
	size_t room_for = 0;
	uint8_t *all = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t before = room_for;
		uint8_t *more = array_grow(all, i, &room_for, size);

		MUST(more && room_for > i && (more == all || room_for > before));
		all = more;
		memset(all + i * size, data[i], size);
	}
	for (size_t i = 0; i < n * size; i++)
		MUST(all[i] == data[i / size]);
	free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed f = { data, size };
	struct buf b = { 0 };

	want.len = 0;
	want.nomem = false;
	while (f.left && want.len < ROOM - 2 * MOST) {
		append_any(&b, &f);
		MUST(b.len == want.len && b.len <= b.cap && b.nomem == want.nomem);
	}
	MUST(!b.len || !memcmp(b.data, want.at, b.len));
	buf_free(&b);
	MUST(!b.data && !b.len && !b.cap && !b.nomem);
	check_array(data, size, size ? 1 + data[0] % 24 : 1);
	return 0;
}
