/* SPDX-License-Identifier: MIT */
/* Lines for people: cleaned, and cut to the terminal where a page is painted over the last. */
#ifndef OUT_PAGE_H
#define OUT_PAGE_H

#include "base/buf.h"

/* A page of lines; on a screen it has so many lines of so many columns, else no end. */
struct page {
	struct buf *out;
	bool screen;
	size_t width, lines;
};

/* Start a page in out; the size of a screen is asked of fd, 80 columns where it does not say. */
void page_open(struct page *page, struct buf *out, int fd, bool screen);

/* Add a line (without trailing spaces) of clean words; none if the screen is full. */
void page_line(struct page *page, const struct buf *line);
/* The same in the colour of headings (out/color.h). */
void page_heading(struct page *page, const struct buf *line);
void page_close(struct page *page);

/* Append s as a terminal may have it: U+FFFD for what is not UTF-8, '?' for what would act on the
 * terminal. Returns the columns it fills. */
size_t page_clean(struct buf *b, const char *s);

#endif
