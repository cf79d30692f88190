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

/* RFC 8259 asks to escape less; the rest of the controls would be acted upon by a terminal. */
static void put_string(struct buf *b, const char *s)
{
	size_t left = strlen(s);

	buf_char(b, '"');
	while (left) {
		uint32_t cp;
		size_t n = utf8_decode(s, left, &cp);

		if (cp == UTF8_BAD)
			buf_str(b, UTF8_REPLACEMENT);
		else if (cp == '"' || cp == '\\' || utf8_control(cp))
			put_escape(b, cp);
		else
			buf_add(b, s, n);
		s += n;
		left -= n;
	}
	buf_char(b, '"');
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
		buf_printf(b, "%llu", (unsigned long long)col_u64(c, rec));
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
	struct buf *b = &s->out;
	const char *before = "";

	buf_char(b, '{');
	for (size_t i = 0; i < s->schema->ncols; i++) {
		const struct col *c = &s->schema->cols[i];

		if (c->kind == COL_STR && !col_str(c, rec))
			continue;
		buf_printf(b, "%s\"%s\":", before, c->name);
		put_value(b, c, rec);
		before = ",";
	}
	buf_str(b, "}\n");
	return b->nomem ? -ENOMEM : 0;
}

const struct sink_hooks json_hooks = { .row = row };
