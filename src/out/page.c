/* SPDX-License-Identifier: MIT */
/* Lines for terminals: without control characters, and cut to the width of a screen. */
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include "out/page.h"
#include "base/utf8.h"
#include "out/color.h"

#define SCREEN_WIDTH 80
#define HOME         "\x1b[H"
#define ERASE_LINE   "\x1b[K"
#define ERASE_BELOW  "\x1b[J"

void page_open(struct page *page, struct buf *out, int fd, bool screen)
{
	struct winsize size = { 0 };

	*page = (struct page){ out, screen, SCREEN_WIDTH, SIZE_MAX };
	if (!screen)
		return;
	if (!ioctl(fd, TIOCGWINSZ, &size)) {
		if (size.ws_col)
			page->width = size.ws_col;
		if (size.ws_row) /* the last line is for the cursor */
			page->lines = size.ws_row - 1U;
	}
	buf_str(out, HOME);
}

/* Returns how many bytes of a line fit in width columns. */
static size_t fit_columns(const struct buf *line, size_t len, size_t width)
{
	size_t at = 0, columns = 0;

	while (at < len) {
		uint32_t cp;
		size_t n = utf8_decode(line->data + at, len - at, &cp);

		columns += utf8_width(cp);
		if (columns > width)
			break;
		at += n;
	}
	return at;
}

static void put_line(struct page *page, const struct buf *line, bool heading)
{
	size_t len = line->len;

	if (!page->lines)
		return;
	page->lines--;
	if (page->screen) {
		/* Erase before writing: after a full line, erasing would delete its last
		 * character. */
		buf_str(page->out, ERASE_LINE);
		len = fit_columns(line, len, page->width);
	}
	while (len && line->data[len - 1] == ' ')
		len--;
	if (heading)
		color_start(page->out, COLOR_HEADING);
	buf_add(page->out, line->data, len);
	if (heading)
		color_end(page->out);
	buf_char(page->out, '\n');
}

void page_line(struct page *page, const struct buf *line)
{
	put_line(page, line, false);
}

void page_heading(struct page *page, const struct buf *line)
{
	put_line(page, line, true);
}

void page_close(struct page *page)
{
	if (page->screen)
		buf_str(page->out, ERASE_BELOW);
}

size_t page_clean(struct buf *b, const char *s)
{
	size_t left = strlen(s), width = 0;

	while (left) {
		uint32_t cp;
		size_t n = utf8_decode(s, left, &cp);

		width += cp == UTF8_BAD || utf8_is_control(cp) ? 1 : utf8_width(cp);
		if (cp == UTF8_BAD)
			buf_str(b, UTF8_REPLACEMENT);
		else if (utf8_is_control(cp))
			buf_char(b, '?');
		else
			buf_add(b, s, n);
		s += n;
		left -= n;
	}
	return width;
}
