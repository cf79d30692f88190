/* SPDX-License-Identifier: MIT */
/* Any bytes as UTF-8: decoded as Unicode requires, cleaned for a terminal, cut to its width. */
#include "base/utf8.h"
#include "out/page.h"
#include "tests/fuzz/fuzz.h"

/* Decodes a well-formed sequence of n bytes by its definition instead of by ranges. */
static bool decode_strict(const uint8_t *s, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	static const uint8_t mark[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	if (n == 1) {
		*cp = s[0];
		return s[0] < 0x80;
	}
	/* the lead byte's length bits and the zero after them */
	if ((s[0] & (uint8_t)(mark[n] >> 1 | 0x80)) != mark[n])
		return false;
	*cp = s[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return false;
		*cp = *cp << 6 | (s[i] & 0x3f);
	}
	return *cp >= least[n] && *cp <= 0x10ffff && (*cp < 0xd800 || *cp > 0xdfff);
}

/* Whether n bytes are the start of a longer well-formed sequence. */
static bool is_prefix(const uint8_t *s, size_t n)
{
	uint8_t try[4] = { 0x80, 0x80, 0x80, 0x80 };
	uint32_t cp;

	memcpy(try, s, n);
	for (size_t len = n + 1; len <= 4; len++)
		if (decode_strict(try, len, &cp))
			return true;
	return false;
}

static size_t want_decode(const uint8_t *s, size_t n, uint32_t *cp)
{
	size_t most = n < 4 ? n : 4;

	for (size_t len = 1; len <= most; len++)
		if (decode_strict(s, len, cp))
			return len;
	*cp = UTF8_BAD;
	for (size_t len = most < 3 ? most : 3; len > 1; len--)
		if (is_prefix(s, len))
			return len;
	return 1;
}

static void check_decode(const uint8_t *s, size_t n)
{
	while (n) {
		uint32_t got = 42, wanted = 42;
		size_t len = utf8_decode((const char *)s, n, &got);

		MUST(len == want_decode(s, n, &wanted) && got == wanted);
		MUST(utf8_width(got) <= 2);
		MUST(got >= 0x20 || utf8_is_control(got));
		s += len;
		n -= len;
	}
}

/* Checks that text is clean and returns its columns. */
static size_t check_clean(const char *s, size_t n)
{
	size_t width = 0;

	while (n) {
		uint32_t cp;
		size_t len = utf8_decode(s, n, &cp);

		MUST(cp != UTF8_BAD && !utf8_is_control(cp));
		width += utf8_width(cp);
		s += len;
		n -= len;
	}
	return width;
}

/* A line is the longest prefix of the text that fits the screen's width. */
static void check_screen(const struct buf *text, size_t width, size_t lines)
{
	struct buf out = { 0 };
	struct page page = { &out, true, width, lines };
	size_t len, columns;

	page_line(&page, text);
	MUST(page.lines == (lines ? lines - 1 : 0) && !out.nomem);
	if (!lines) {
		MUST(!out.len);
		return;
	}
	MUST(out.len > 3 && !memcmp(out.data, "\x1b[K", 3) && out.data[out.len - 1] == '\n');
	len = out.len - 4;
	MUST(len <= text->len && (!len || !memcmp(out.data + 3, text->data, len)));
	columns = check_clean(out.data + 3, len);
	MUST(columns <= width && (!len || out.data[2 + len] != ' '));
	while (len < text->len && text->data[len] == ' ') {
		columns++;
		len++;
	}
	if (len < text->len) { /* the next character would not have fitted */
		uint32_t cp;

		utf8_decode(text->data + len, text->len - len, &cp);
		MUST(columns + utf8_width(cp) > width);
	}
	buf_free(&out);
}

static void check_page(const char *s, size_t width, size_t lines)
{
	struct buf once = { 0 }, twice = { 0 };
	size_t columns = page_clean(&once, s);

	MUST(!once.nomem && once.len <= 3 * strlen(s));
	MUST(check_clean(once.data, once.len) == columns);
	buf_char(&once, '\0');
	MUST(page_clean(&twice, once.data) == columns);
	once.len--;
	MUST(twice.len == once.len && (!once.len || !memcmp(twice.data, once.data, once.len)));
	check_screen(&twice, width, lines);
	buf_free(&once);
	buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed f = { data, size };
	size_t width = feed_u8(&f), lines = width % 5;
	uint8_t *own = malloc(f.left + 1);
	char *s;

	MUST(own);
	memcpy(own + 1, f.at, f.left); /* up to the end of the allocation */
	check_decode(own + 1, f.left);
	free(own);
	s = feed_str(&f, f.left);
	check_page(s, width, lines);
	free(s);
	return 0;
}
