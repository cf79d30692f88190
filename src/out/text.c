/* SPDX-License-Identifier: MIT */
/* An aligned table for people, which overwrites the previous one if the sink is a screen. */
#include <errno.h>
#include <math.h>
#include "base/clock.h"
#include "out/color.h"
#include "out/format.h"
#include "out/page.h"
#include "out/scale.h"

enum { GAP = 2, BELOW_INDENT = 4, BELOW_WIDTH = 76 };

/* s->own: the table's cells row by row, a cell for each column; the characters of the cells; the
 * width of each column, 0 if it is left out. */
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
	if (c->kind == COL_S64) {
		buf_printf(b, "%lld", (long long)col_s64(c, rec));
		return;
	}
	if (!isfinite(v)) {
		buf_char(b, '-');
		return;
	}
	if (v < 0)
		buf_char(b, '-');
	v = v > 0 ? v : 0 - v; /* -0 becomes 0 */
	if (c->unit == COL_PLAIN)
		buf_printf(b, "%.2f", v);
	else
		scale_put(b, c->unit, v);
}

/* Appends a list. Returns the number of columns it fills. */
static size_t put_list(struct buf *b, const struct col *c, const void *rec)
{
	struct col_list list = col_list(c, rec);
	size_t width = 0, from;

	for (size_t i = 0; i < list.n && c->kind != COL_TABLE; i++) {
		from = b->len;
		buf_str(b, i ? "," : "");
		if (c->kind == COL_U64S)
			buf_u64(b, ((const uint64_t *)list.at)[i]);
		width += b->len - from;
		if (c->kind == COL_STRS)
			width += page_clean(b, ((const char *const *)list.at)[i]);
	}
	return width;
}

/* Appends a value. Returns the number of columns it fills; 0 if it is unknown. */
static size_t put_value(struct buf *b, const struct col *c, const void *rec)
{
	char time[CLOCK_RFC3339_LEN];
	size_t from = b->len;

	if (col_is_unknown(c, rec))
		return 0;
	if (c->kind == COL_STR)
		return page_clean(b, col_str(c, rec));
	if (col_is_list(c))
		return put_list(b, c, rec);
	if (c->kind == COL_BOOL) {
		buf_str(b, col_bool(c, rec) ? "yes" : "no");
	} else if (c->kind == COL_TIME) {
		clock_rfc3339(col_u64(c, rec), time);
		buf_str(b, time);
	} else {
		put_number(b, c, rec);
	}
	return b->len - from;
}

static void put_cell(struct buf *b, const struct col *c, const void *rec, struct cell *cell)
{
	cell->off = b->len;
	cell->width = put_value(b, c, rec);
	cell->len = b->len - cell->off;
}

static int begin_table(struct sink *s)
{
	for (size_t i = 0; i < sizeof(s->own) / sizeof(*s->own); i++)
		buf_clear(&s->own[i]);
	return 0;
}

static int add_row(struct sink *s, const void *rec)
{
	struct cell *cells = buf_add_zeros(&s->own[CELLS], s->schema->ncols * sizeof(*cells));

	for (size_t i = 0; cells && i < s->schema->ncols; i++)
		if (s->schema->cols[i].head)
			put_cell(&s->own[CHARS], &s->schema->cols[i], rec, &cells[i]);
	return s->own[CELLS].nomem || s->own[CHARS].nomem ? -ENOMEM : 0;
}

static bool is_number(const struct col *c)
{
	return c->kind == COL_U64 || c->kind == COL_S64 || c->kind == COL_F64 ||
	       c->kind == COL_BOOL;
}

/* Leaves out a column of strings that is empty in all rows: it does not apply here (no container,
 * no rule names), and other columns need the room. Columns of numbers stay: 0 is a result, and
 * columns must not come and go with the traffic. */
static void measure_columns(struct sink *s, size_t nrows)
{
	size_t ncols = s->schema->ncols, *widths = widths_of(s);

	for (size_t r = 0; r < nrows; r++)
		for (size_t i = 0; i < ncols; i++)
			if (cells_of(s)[r * ncols + i].width > widths[i])
				widths[i] = cells_of(s)[r * ncols + i].width;
	for (size_t i = 0; i < ncols; i++) {
		const struct col *c = &s->schema->cols[i];
		size_t head = c->head ? strlen(c->head) : 0;

		if (c->below)
			widths[i] = 0;
		else if ((!nrows || widths[i] || is_number(c)) && head > widths[i])
			widths[i] = head;
	}
}

/* Appends one cell of the table to a line: strings left-aligned, numbers right-aligned. */
static void append_cell(struct buf *line, const struct col *c, size_t room, const char *text,
			size_t len, size_t width)
{
	size_t pad = room - width;
	bool right = is_number(c) && c->kind != COL_BOOL;

	if (line->len)
		buf_fill(line, ' ', GAP);
	buf_fill(line, ' ', right ? pad : 0);
	buf_add(line, text, len);
	buf_fill(line, ' ', right ? 0 : pad);
}

/* Writes one line of the table: the cells of a row, or the headings. */
static void put_line(struct sink *s, struct page *page, struct buf *line, const struct cell *cells)
{
	buf_clear(line);
	for (size_t i = 0; i < s->schema->ncols; i++) {
		const struct col *c = &s->schema->cols[i];
		size_t room = widths_of(s)[i];

		if (!room)
			continue;
		if (!cells)
			append_cell(line, c, room, c->head, strlen(c->head), strlen(c->head));
		else if (cells[i].len)
			append_cell(line, c, room, s->own[CHARS].data + cells[i].off, cells[i].len,
				    cells[i].width);
		else /* keeps the number of fields equal in every line, for awk */
			append_cell(line, c, room, "-", 1, 1);
	}
	if (cells || !s->colors)
		page_line(page, line);
	else
		page_heading(page, line);
}

/* Writes the columns that go below their row, wrapped to BELOW_WIDTH. */
static void put_below(struct sink *s, struct page *page, struct buf *line, const struct cell *cells)
{
	for (size_t i = 0; i < s->schema->ncols; i++) {
		const char *text = s->own[CHARS].data + cells[i].off;
		size_t left = cells[i].len;

		while (s->schema->cols[i].below && left) {
			size_t n = left;

			if (n > BELOW_WIDTH)
				for (n = BELOW_WIDTH; n && text[n] != ' '; n--)
					continue;
			n = n ? n : left;
			buf_clear(line);
			buf_fill(line, ' ', BELOW_INDENT);
			buf_add(line, text, n);
			page_line(page, line);
			n += n < left; /* skip the blank */
			text += n;
			left -= n;
		}
	}
}

static void put_rows(struct sink *s, struct page *page, struct buf *line, size_t nrows)
{
	size_t shown = nrows;

	if (nrows > page->lines)
		shown = page->lines ? page->lines - 1 : 0;
	for (size_t r = 0; r < shown; r++) {
		put_line(s, page, line, cells_of(s) + r * s->schema->ncols);
		put_below(s, page, line, cells_of(s) + r * s->schema->ncols);
	}
	if (shown == nrows)
		return;
	buf_clear(line);
	buf_printf(line, "(%zu more)", nrows - shown);
	page_line(page, line);
}

static int end_table(struct sink *s)
{
	size_t ncols = s->schema->ncols;
	size_t nrows = ncols ? s->own[CELLS].len / (ncols * sizeof(struct cell)) : 0;
	struct buf line = { 0 };
	struct page page;
	bool nomem;

	if (s->own[CELLS].nomem || s->own[CHARS].nomem ||
	    !buf_add_zeros(&s->own[WIDTHS], ncols * sizeof(size_t)))
		return -ENOMEM;
	measure_columns(s, nrows);
	s->colors = color_enabled(s->fd);
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

static void append_prose(struct sink *s, const char *words)
{
	page_clean(&s->out, words);
	buf_char(&s->out, '\n');
}

const struct sink_hooks text_hooks = {
	.begin = begin_table, .row = add_row, .end = end_table, .line = append_prose
};
