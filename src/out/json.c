/* SPDX-License-Identifier: MIT */
/* JSON lines (RFC 8259): one object per record, keys in the order of the columns. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/utf8.h"
#include "out/format.h"

static void put_escape(struct buf *b, uint32_t cp)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	const char *at = cp && cp < 0x80 ? strchr(plain, (int)cp) : NULL;

	if (at)
		buf_printf(b, "\\%c", letter[at - plain]);
	else
		buf_printf(b, "\\u%04x", cp);
}

/* Returns the number of bytes before the first one that may need an escape. */
static size_t plain_run(const char *s)
{
	size_t n = 0;

	while (s[n] >= ' ' && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

/* Escapes more control characters than RFC 8259 requires, since a terminal would act on them. */
static void put_string(struct buf *b, const char *s)
{
	size_t left = strlen(s);

	buf_char(b, '"');
	while (left) {
		size_t n = plain_run(s);
		uint32_t cp;

		buf_add(b, s, n);
		s += n;
		left -= n;
		if (!left)
			break;
		n = utf8_decode(s, left, &cp);
		if (cp == UTF8_BAD)
			buf_str(b, UTF8_REPLACEMENT);
		else if (cp == '"' || cp == '\\' || utf8_is_control(cp))
			put_escape(b, cp);
		else
			buf_add(b, s, n);
		s += n;
		left -= n;
	}
	buf_char(b, '"');
}

static void put_thousandths(struct buf *b, uint64_t v)
{
	char part[4] = { '.', (char)('0' + v / 100 % 10), (char)('0' + v / 10 % 10),
			 (char)('0' + v % 10) };
	size_t n = sizeof(part);

	buf_u64(b, v / 1000);
	while (n > 1 && part[n - 1] == '0')
		n--;
	if (n > 1)
		buf_add(b, part, n);
}

/* Appends at most three decimals and never an exponent, so that awk can sum the values. */
static void put_double(struct buf *b, double v)
{
	char digits[328]; /* the largest double has 309 digits before the point */
	int n;

	if (!isfinite(v)) {
		buf_str(b, "null");
		return;
	}
	/* Fast path for most numbers: v * 1000 is far within the precision of a double. */
	if (v >= 0 && v < 1e11) {
		put_thousandths(b, (uint64_t)(v * 1000 + 0.5));
		return;
	}
	n = snprintf(digits, sizeof(digits), "%.3f", v);
	while (digits[n - 1] == '0')
		n--;
	if (digits[n - 1] == '.')
		n--;
	if (n == 2 && digits[0] == '-' && digits[1] == '0')
		buf_char(b, '0');
	else
		buf_add(b, digits, (size_t)n);
}

static void put_time(struct buf *b, uint64_t ns)
{
	char text[CLOCK_RFC3339_LEN];

	clock_rfc3339(ns, text);
	buf_char(b, '"');
	buf_str(b, text);
	buf_char(b, '"');
}

static void put_object(struct buf *b, const struct schema *schema, const void *rec);

static void put_item(struct buf *b, const struct col *c, const struct col_list *list, size_t i)
{
	if (c->kind == COL_STRS)
		put_string(b, ((const char *const *)list->at)[i]);
	else if (c->kind == COL_U64S)
		buf_u64(b, ((const uint64_t *)list->at)[i]);
	else
		put_object(b, c->rows, (const char *)list->at + i * list->size);
}

static void put_list(struct buf *b, const struct col *c, const void *rec)
{
	struct col_list list = col_list(c, rec);

	buf_char(b, '[');
	for (size_t i = 0; i < list.n; i++) {
		if (i)
			buf_char(b, ',');
		put_item(b, c, &list, i);
	}
	buf_char(b, ']');
}

static void put_number(struct buf *b, const struct col *c, const void *rec)
{
	if (c->kind == COL_U64 && c->unit == COL_NS)
		format_put_seconds(b, col_u64(c, rec));
	else if (c->kind == COL_U64)
		buf_u64(b, col_u64(c, rec));
	else if (c->kind == COL_S64)
		buf_printf(b, "%lld", (long long)col_s64(c, rec));
	else if (c->unit == COL_NS && col_f64(c, rec) >= 0 && col_f64(c, rec) < 1e19)
		format_put_seconds(b, (uint64_t)col_f64(c, rec));
	else
		put_double(b, c->unit == COL_NS ? col_f64(c, rec) / 1e9 : col_f64(c, rec));
}

static void put_value(struct buf *b, const struct col *c, const void *rec)
{
	if (col_is_unknown(c, rec))
		buf_str(b, "null");
	else if (c->kind == COL_STR)
		put_string(b, col_str(c, rec));
	else if (c->kind == COL_BOOL)
		buf_str(b, col_bool(c, rec) ? "true" : "false");
	else if (c->kind == COL_TIME)
		put_time(b, col_u64(c, rec));
	else if (col_is_list(c))
		put_list(b, c, rec);
	else
		put_number(b, c, rec);
}

static void put_object(struct buf *b, const struct schema *schema, const void *rec)
{
	const char *before = "{\"";

	if (schema->name) {
		buf_str(b, "{\"record\":\"");
		buf_str(b, schema->name);
		before = "\",\"";
	}
	for (size_t i = 0; i < schema->ncols; i++) {
		const struct col *c = &schema->cols[i];

		if (!c->name || !SCHEMA_HAS(schema, i))
			continue;
		buf_str(b, before);
		buf_str(b, c->name);
		buf_str(b, "\":");
		put_value(b, c, rec);
		before = ",\"";
	}
	buf_str(b, *before == '{' ? "{}" : *before == '"' ? "\"}" : "}");
}

static int add_row(struct sink *s, const void *rec)
{
	put_object(&s->out, s->schema, rec);
	buf_char(&s->out, '\n');
	return s->out.nomem ? -ENOMEM : 0;
}

const struct sink_hooks json_hooks = { .row = add_row };
