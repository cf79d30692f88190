/* SPDX-License-Identifier: MIT */
/* An aligned table for people, painted over the last one if the sink is a screen. */
#include <errno.h>
#include <math.h>
#include "out/format.h"
#include "out/page.h"
#include "out/scale.h"

#define GAP 2

/* s->own: cells of the table row by row, a cell for each column; the characters of the cells; the
 * width of each column in the table, 0 if it is left out. */
enum { CELLS, CHARS, WIDTHS };

struct cell {
	size_t off, len, width;
};

static const struct cell *cells_of(const struct sink *s)
{
	return (const struct cell *)(const void *)s->own[CELLS].data;
}

static size_t *widths_of(const struct sink *s)
{
	return (size_t *)(void *)s->own[WIDTHS].data;
}

static void put_number(struct buf *b, const struct col *c, const void *rec)
{
	double v = c->kind == COL_U64 ? (double)col_u64(c, rec) : col_f64(c, rec);

	if (c->kind == COL_U64 && c->unit == COL_PLAIN) {
		buf_printf(b, "%llu", (unsigned long long)col_u64(c, rec));
		return;
	}
	if (!isfinite(v)) {
		buf_char(b, '-');
		return;
	}
	if (v < 0)
		buf_char(b, '-');
	v = v > 0 ? v : 0 - v; /* and -0 becomes 0 */
	if (c->unit == COL_PLAIN)
		buf_printf(b, "%.2f", v);
	else
		scale_put(b, c->unit, v);
}

static void put_cell(struct buf *b, const struct col *c, const void *rec, struct cell *cell)
{
	cell->off = b->len;
	if (c->kind == COL_STR) {
		const char *words = col_str(c, rec);

		cell->width = words ? page_clean(b, words) : 0;
		cell->len = b->len - cell->off;
		return;
	}
	if (c->kind == COL_BOOL)
		buf_str(b, col_bool(c, rec) ? "yes" : "no");
	else
		put_number(b, c, rec);
	cell->len = cell->width = b->len - cell->off;
}

static int begin(struct sink *s)
{
	for (size_t i = 0; i < sizeof(s->own) / sizeof(*s->own); i++)
		buf_clear(&s->own[i]);
	return 0;
}

static int row(struct sink *s, const void *rec)
{
	struct cell *cells = buf_add_zeros(&s->own[CELLS], s->schema->ncols * sizeof(*cells));

	for (size_t i = 0; cells && i < s->schema->ncols; i++)
		if (s->schema->cols[i].head)
			put_cell(&s->own[CHARS], &s->schema->cols[i], rec, &cells[i]);
	return s->own[CELLS].nomem || s->own[CHARS].nomem ? -ENOMEM : 0;
}

/* A column of strings without a single word is left out: it is one that does not apply here (no
 * container, no rule names) and its room is wanted. Numbers stay: 0 is an answer, and a column must
 * not come and go with the traffic. */
static void measure(struct sink *s, size_t nrows)
{
	size_t ncols = s->schema->ncols, *widths = widths_of(s);

	for (size_t r = 0; r < nrows; r++)
		for (size_t i = 0; i < ncols; i++)
			if (cells_of(s)[r * ncols + i].width > widths[i])
				widths[i] = cells_of(s)[r * ncols + i].width;
	for (size_t i = 0; i < ncols; i++) {
		const struct col *c = &s->schema->cols[i];
		size_t head = c->head ? strlen(c->head) : 0;

		if ((!nrows || widths[i] || c->kind != COL_STR) && head > widths[i])
			widths[i] = head;
	}
}

/* Append one cell of the table to a line: strings to the left, numbers to the right. */
static void align(struct buf *line, const struct col *c, size_t room, const char *text, size_t len,
		  size_t width)
{
	size_t pad = room - width;
	bool right = c->kind == COL_U64 || c->kind == COL_F64;

	if (line->len)
		buf_fill(line, ' ', GAP);
	buf_fill(line, ' ', right ? pad : 0);
	buf_add(line, text, len);
	buf_fill(line, ' ', right ? 0 : pad);
}

/* One line of the table: the cells of a row, or the headings. */
static void put_line(struct sink *s, struct page *page, struct buf *line, const struct cell *cells)
{
	buf_clear(line);
	for (size_t i = 0; i < s->schema->ncols; i++) {
		const struct col *c = &s->schema->cols[i];
		size_t room = widths_of(s)[i];

		if (!room)
			continue;
		if (!cells)
			align(line, c, room, c->head, strlen(c->head), strlen(c->head));
		else if (cells[i].len)
			align(line, c, room, s->own[CHARS].data + cells[i].off, cells[i].len,
			      cells[i].width);
		else /* so that awk counts the same columns in every line */
			align(line, c, room, "-", 1, 1);
	}
	page_line(page, line);
}

static void put_rows(struct sink *s, struct page *page, struct buf *line, size_t nrows)
{
	size_t shown = nrows;

	if (nrows > page->lines)
		shown = page->lines ? page->lines - 1 : 0;
	for (size_t r = 0; r < shown; r++)
		put_line(s, page, line, cells_of(s) + r * s->schema->ncols);
	if (shown == nrows)
		return;
	buf_clear(line);
	buf_printf(line, "(%zu more)", nrows - shown);
	page_line(page, line);
}

static int end(struct sink *s)
{
	size_t ncols = s->schema->ncols;
	size_t nrows = ncols ? s->own[CELLS].len / (ncols * sizeof(struct cell)) : 0;
	struct buf line = { 0 };
	struct page page;
	bool nomem;

	if (s->own[CELLS].nomem || s->own[CHARS].nomem ||
	    !buf_add_zeros(&s->own[WIDTHS], ncols * sizeof(size_t)))
		return -ENOMEM;
	measure(s, nrows);
	page_open(&page, &s->out, s->fd, s->screen);
	if (s->title) {
		page_clean(&line, s->title);
		page_line(&page, &line);
	}
	put_line(s, &page, &line, NULL);
	put_rows(s, &page, &line, nrows);
	page_close(&page);
	nomem = line.nomem || s->out.nomem;
	buf_free(&line);
	return nomem ? -ENOMEM : 0;
}

static void prose(struct sink *s, const char *words)
{
	page_clean(&s->out, words);
	buf_char(&s->out, '\n');
}

const struct sink_hooks text_hooks = { .begin = begin, .row = row, .end = end, .line = prose };
