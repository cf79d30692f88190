/* SPDX-License-Identifier: MIT */
/* Lines for terminals: without control characters, and cut to the width of a screen. */
#ifndef OUT_PAGE_H
#define OUT_PAGE_H

#include "base/buf.h"

/* A page of lines. On a screen it is limited to lines of width columns, else it is unlimited. */
struct page {
	struct buf *out;
	bool screen;
	size_t width, lines;
};

/* Starts a page in out. Gets the size of a screen from fd, 80 columns if it is unknown. */
void page_open(struct page *page, struct buf *out, int fd, bool screen);

/* Adds a line of clean text without trailing spaces. Adds nothing if the screen is full. */
void page_line(struct page *page, const struct buf *line);
/* Like page_line(), in the colour of headings (out/color.h). */
void page_heading(struct page *page, const struct buf *line);
void page_close(struct page *page);

/* Appends s made safe for a terminal: U+FFFD replaces invalid UTF-8, '?' replaces control
 * characters. Returns the number of columns appended. */
size_t page_clean(struct buf *b, const char *s);

#endif
