/* SPDX-License-Identifier: MIT */
/* JSON lines (RFC 8259): one object a record, keys in the order of the columns. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
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

/* Bytes that stand for themselves, at most to the string's end. */
static size_t plain_run(const char *s)
{
	size_t n = 0;

	while (s[n] >= ' ' && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

/* RFC 8259 asks to escape less; the rest of the controls would be acted upon by a terminal. */
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

/* At most three decimals, never an exponent, so that a line-based reader can sum with awk. */
static void put_double(struct buf *b, double v)
{
	char digits[328]; /* the largest double has 309 before the point */
	int n;

	if (!isfinite(v)) {
		buf_str(b, "null");
		return;
	}
	/* What most numbers are: a thousand times as much is a whole number that fits. */
	if (v >= 0 && v < 4e12) {
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

static void put_value(struct buf *b, const struct col *c, const void *rec)
{
	switch (c->kind) {
	case COL_STR:
		put_string(b, col_str(c, rec));
		break;
	case COL_U64:
		buf_u64(b, col_u64(c, rec));
		break;
	case COL_F64:
		put_double(b, col_f64(c, rec));
		break;
	case COL_BOOL:
		buf_str(b, col_bool(c, rec) ? "true" : "false");
		break;
	}
}

static int row(struct sink *s, const void *rec)
{
	const uint64_t *has =
		s->schema->has_off ? (const void *)((const char *)rec + s->schema->has_off) : NULL;
	struct buf *b = &s->out;
	const char *before = "\"";

	buf_char(b, '{');
	for (size_t i = 0; i < s->schema->ncols; i++) {
		const struct col *c = &s->schema->cols[i];

		if ((has && !(*has >> i & 1)) || (c->kind == COL_STR && !col_str(c, rec)))
			continue;
		buf_str(b, before);
		buf_str(b, c->name);
		buf_str(b, "\":");
		put_value(b, c, rec);
		before = ",\"";
	}
	buf_str(b, "}\n");
	return b->nomem ? -ENOMEM : 0;
}

const struct sink_hooks json_hooks = { .row = row };
