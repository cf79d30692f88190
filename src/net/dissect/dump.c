/* SPDX-License-Identifier: MIT */
/* Dumps a packet's bytes below its line. Each line starts with a tab, so that it cannot be mistaken
 * for a packet's line. */
#include "net/dissect/internal.h"

enum { ROW = 16, ROW_TEXT = 80 };

/* In columns, spaces are shown as dots, too: a space would be invisible. */
static char printable_char(uint8_t c, char space)
{
	return c == ' ' ? space : c > 0x20 && c < 0x7f ? (char)c : '.';
}

/* "\t0x0010:  4500 003c ...  E..<" */
static void dump_row(struct line *l, const uint8_t *p, size_t n, size_t at, bool ascii)
{
	PUT(l, "\t0x");
	put_hex_padded(l, (uint32_t)at, at > 0xffff ? 8 : 4);
	PUT(l, ": ");
	for (size_t i = 0; i < n; i++) {
		if (i % 2 == 0)
			put_char(l, ' ');
		put_hex_padded(l, p[i], 2);
	}
	if (ascii) {
		for (size_t i = n * 2 + (n + 1) / 2; i < ROW * 2 + ROW / 2 + 2; i++)
			put_char(l, ' ');
		for (size_t i = 0; i < n; i++)
			put_char(l, printable_char(p[i], '.'));
	}
	put_char(l, '\n');
}

static void dump_ascii(struct line *l, const uint8_t *p, size_t n)
{
	put_char(l, '\t');
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\r' && i + 1 < n && p[i + 1] == '\n')
			continue;
		if (p[i] == '\n' && i + 1 < n)
			PUT(l, "\n\t");
		else
			put_char(l, printable_char(p[i], ' '));
	}
	put_char(l, '\n');
}

void dissect_put_dump(struct buf *out, const uint8_t *data, size_t len, uint8_t how)
{
	size_t room = how == DISSECT_ASCII ? 2 * len + 2 : (len / ROW + 1) * ROW_TEXT;
	char *text;
	struct line l = { 0 };

	if (how == DISSECT_NO_DUMP || !len)
		return;
	text = buf_reserve(out, room);
	if (!text)
		return;
	l.at = text;
	l.end = text + room;
	if (how == DISSECT_ASCII)
		dump_ascii(&l, data, len);
	else
		for (size_t at = 0; at < len; at += ROW)
			dump_row(&l, data + at, len - at < ROW ? len - at : ROW, at,
				 how == DISSECT_HEX_ASCII);
	out->len += (size_t)(l.at - text);
}
