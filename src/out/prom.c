/* SPDX-License-Identifier: MIT */
/* Prometheus text 0.0.4: each counter or gauge column is a metric, and the keys are its labels. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/utf8.h"
#include "out/format.h"

#define PREFIX "sonde_"

/* s->own: [0] a struct buf of samples for each column of the schema, [1] the labels of one row. The
 * format requires all samples of a metric together, but records arrive row by row. */
static struct buf *samples_of(struct sink *s)
{
	return (struct buf *)(void *)s->own[0].data;
}

static size_t count_samples(const struct sink *s)
{
	return s->own[0].len / sizeof(struct buf);
}

static bool is_metric(const struct col *c)
{
	return c->metric && c->kind != COL_STR && !col_is_list(c) &&
	       (c->role == COL_COUNTER || c->role == COL_GAUGE);
}

/* The format has escapes only for backslash, newline and, in labels, the quote. U+FFFD replaces
 * other control characters, as the output may go to a terminal. */
static void put_escaped(struct buf *b, const char *s, bool quoted)
{
	size_t left = strlen(s);

	while (left) {
		uint32_t cp;
		size_t n = utf8_decode(s, left, &cp);

		if (cp == '\n')
			buf_str(b, "\\n");
		else if (cp == '\\' || (quoted && cp == '"'))
			buf_printf(b, "\\%c", (char)cp);
		else if (cp == UTF8_BAD || utf8_is_control(cp))
			buf_str(b, UTF8_REPLACEMENT);
		else
			buf_add(b, s, n);
		s += n;
		left -= n;
	}
}

/* Appends the fewest digits that convert back to the same double. */
static void put_double(struct buf *b, double v)
{
	char digits[32];

	if (isinf(v)) {
		buf_str(b, v > 0 ? "+Inf" : "-Inf");
	} else {
		snprintf(digits, sizeof(digits), "%.15g", v);
		if (strtod(digits, NULL) != v)
			snprintf(digits, sizeof(digits), "%.17g", v);
		buf_str(b, digits);
	}
}

static void put_number(struct buf *b, const struct col *c, const void *rec)
{
	bool ns = c->unit == COL_NS && c->role != COL_KEY;

	if (c->kind == COL_BOOL)
		buf_char(b, col_bool(c, rec) ? '1' : '0');
	else if (c->kind == COL_S64)
		buf_printf(b, "%lld", (long long)col_s64(c, rec));
	else if (c->kind == COL_F64)
		put_double(b, ns ? col_f64(c, rec) / (double)NS_PER_S : col_f64(c, rec));
	else if (ns)
		format_put_seconds(b, col_u64(c, rec));
	else
		buf_printf(b, "%llu", (unsigned long long)col_u64(c, rec));
}

/* Appends {device="eth0",direction="in"}, or nothing if the row has no labels. */
static void put_labels(struct buf *b, const struct schema *schema, const void *rec)
{
	char before = '{';

	for (size_t i = 0; i < schema->ncols; i++) {
		const struct col *c = &schema->cols[i];

		if (c->role != COL_KEY || !c->metric || col_is_list(c) || col_is_unknown(c, rec))
			continue;
		buf_printf(b, "%c%s=\"", before, c->metric);
		if (c->kind == COL_STR)
			put_escaped(b, col_str(c, rec), true);
		else if (c->kind == COL_BOOL)
			buf_str(b, col_bool(c, rec) ? "true" : "false");
		else
			put_number(b, c, rec);
		buf_char(b, '"');
		before = ',';
	}
	if (before == ',')
		buf_char(b, '}');
}

static void put_unit(struct buf *b, const struct col *c, uint64_t v)
{
	if (c->unit == COL_NS)
		format_put_seconds(b, v);
	else
		buf_u64(b, v);
}

static void put_bin(struct buf *b, const struct col *c, const struct col_histogram *h, size_t i,
		    const struct buf *labels, uint64_t sum)
{
	buf_printf(b, PREFIX "%s_bucket", c->metric);
	if (labels->len) {
		buf_add(b, labels->data, labels->len - 1); /* without the brace */
		buf_char(b, ',');
	} else {
		buf_char(b, '{');
	}
	buf_str(b, "le=\"");
	if (i + 1 < h->n)
		put_unit(b, c, h->below[i]);
	else
		buf_str(b, "+Inf");
	buf_str(b, "\"} ");
	buf_u64(b, sum);
	buf_char(b, '\n');
}

/* Appends the cumulative bins, the sum and the number of the observations. */
static void put_histogram(struct buf *b, const struct col *c, const void *rec,
			  const struct buf *labels)
{
	struct col_histogram h = col_histogram(c, rec);
	uint64_t n = 0;

	for (size_t i = 0; i < h.n; i++) {
		n += h.counts[i];
		put_bin(b, c, &h, i, labels, n);
	}
	buf_printf(b, PREFIX "%s_sum", c->metric);
	buf_add(b, labels->data, labels->len);
	buf_char(b, ' ');
	put_unit(b, c, h.sum);
	buf_printf(b, "\n" PREFIX "%s_count", c->metric);
	buf_add(b, labels->data, labels->len);
	buf_char(b, ' ');
	buf_u64(b, n);
	buf_char(b, '\n');
}

static void put_sample(struct buf *b, const struct col *c, const void *rec,
		       const struct buf *labels)
{
	buf_printf(b, PREFIX "%s", c->metric);
	buf_add(b, labels->data, labels->len);
	buf_char(b, ' ');
	put_number(b, c, rec);
	buf_char(b, '\n');
}

static int begin_table(struct sink *s)
{
	size_t ncols = s->schema->ncols;

	for (size_t i = 0; i < count_samples(s); i++)
		buf_clear(&samples_of(s)[i]);
	if (count_samples(s) < ncols)
		buf_add_zeros(&s->own[0], (ncols - count_samples(s)) * sizeof(struct buf));
	return s->own[0].nomem ? -ENOMEM : 0;
}

static int add_row(struct sink *s, const void *rec)
{
	struct buf *labels = &s->own[1];
	bool nomem;

	if (s->own[0].nomem)
		return -ENOMEM;
	buf_clear(labels);
	put_labels(labels, s->schema, rec);
	nomem = labels->nomem;
	for (size_t i = 0; i < s->schema->ncols; i++) {
		const struct col *c = &s->schema->cols[i];
		struct buf *b = &samples_of(s)[i];

		if (!is_metric(c) || col_is_unknown(c, rec))
			continue;
		if (c->kind == COL_HISTOGRAM)
			put_histogram(b, c, rec, labels);
		else
			put_sample(b, c, rec, labels);
		b->nomem |= nomem;
		nomem |= b->nomem;
	}
	return nomem ? -ENOMEM : 0;
}

static void put_family(struct buf *b, const struct col *c, const struct buf *samples)
{
	if (c->help) {
		buf_printf(b, "# HELP " PREFIX "%s ", c->metric);
		put_escaped(b, c->help, false);
		buf_char(b, '\n');
	}
	buf_printf(b, "# TYPE " PREFIX "%s %s\n", c->metric,
		   c->kind == COL_HISTOGRAM ? "histogram"
		   : c->role == COL_COUNTER ? "counter"
					    : "gauge");
	buf_add(b, samples->data, samples->len);
}

static int end_table(struct sink *s)
{
	if (s->own[0].nomem) {
		s->own[0].nomem = false; /* the next table may succeed */
		return -ENOMEM;
	}
	for (size_t i = 0; i < s->schema->ncols; i++) {
		const struct buf *samples = &samples_of(s)[i];

		if (samples->nomem)
			return -ENOMEM;
		if (samples->len)
			put_family(&s->out, &s->schema->cols[i], samples);
	}
	return 0;
}

static void close_samples(struct sink *s)
{
	for (size_t i = 0; i < count_samples(s); i++)
		buf_free(&samples_of(s)[i]);
}

const struct sink_hooks prom_hooks = {
	.begin = begin_table, .row = add_row, .end = end_table, .close = close_samples
};
