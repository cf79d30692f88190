/* SPDX-License-Identifier: MIT */
/* Writes numbers, addresses and untrusted bytes as text to a line, which cannot overflow. */
#include "net/dissect/internal.h"

static const char hex_digits[] = "0123456789abcdef";

/* Most texts are short: two overlapping copies are faster than a call. */
static void copy_short(char *to, const char *s, size_t n)
{
	if (n >= 8 && n <= 16) {
		memcpy(to, s, 8);
		memcpy(to + (n - 8), s + (n - 8), 8);
	} else if (n >= 4 && n < 8) {
		memcpy(to, s, 4);
		memcpy(to + (n - 4), s + (n - 4), 4);
	} else if (n > 16) {
		memcpy(to, s, n);
	} else {
		while (n--)
			*to++ = *s++;
	}
}

void put_mem(struct line *l, const char *s, size_t n)
{
	if (n > (size_t)(l->end - l->at)) {
		l->full = true;
		l->end = l->at;
		return;
	}
	copy_short(l->at, s, n);
	l->at += n;
}

void put_char(struct line *l, char c)
{
	if (l->at == l->end) {
		l->full = true;
		return;
	}
	*l->at++ = c;
}

void put_str(struct line *l, const char *s)
{
	put_mem(l, s, strlen(s));
}

/* Returns where to write up to n bytes: in the line if they fit, else in spare. */
static char *begin_text(const struct line *l, char *spare, size_t n)
{
	return n <= (size_t)(l->end - l->at) ? l->at : spare;
}

static void end_text(struct line *l, const char *from, size_t n)
{
	if (from == l->at)
		l->at += n;
	else
		put_mem(l, from, n);
}

enum { U32_DIGITS = 10, IP4_CHARS = 15 };

void put_u32(struct line *l, uint32_t v)
{
	char spare[U32_DIGITS], *at = begin_text(l, spare, U32_DIGITS);
	unsigned int digits = 1;

	for (uint64_t least = 10; v >= least; least *= 10)
		digits++;
	for (unsigned int i = digits; i-- > 0; v /= 10)
		at[i] = (char)('0' + v % 10);
	end_text(l, at, digits);
}

void put_text_num(struct line *l, const char *s, size_t n, uint32_t v)
{
	put_mem(l, s, n);
	put_u32(l, v);
}

void put_dec_padded(struct line *l, uint32_t v, unsigned int digits)
{
	char text[10];

	for (unsigned int i = digits; i-- > 0; v /= 10)
		text[i] = (char)('0' + v % 10);
	put_mem(l, text, digits);
}

void put_hex_padded(struct line *l, uint32_t v, unsigned int digits)
{
	char text[8];

	for (unsigned int i = digits; i-- > 0; v >>= 4)
		text[i] = hex_digits[v & 15];
	put_mem(l, text, digits);
}

void put_hex(struct line *l, uint32_t v)
{
	unsigned int digits = 1;

	while (digits < 8 && v >> (4 * digits))
		digits++;
	put_hex_padded(l, v, digits);
}

void put_hex_bytes(struct line *l, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && !l->full; i++)
		put_hex_padded(l, p[i], 2);
}

void put_escaped(struct line *l, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && !l->full; i++) {
		uint8_t c = p[i];

		if (c & 0x80) {
			PUT(l, "M-");
			c &= 0x7f;
		}
		if (c < 0x20 || c == 0x7f) {
			put_char(l, '^');
			c ^= 0x40;
		}
		put_char(l, (char)c);
	}
}

void put_ip4(struct line *l, const uint8_t *p)
{
	char spare[IP4_CHARS], *from = begin_text(l, spare, IP4_CHARS), *at = from;

	for (int i = 0; i < 4; i++) {
		unsigned int v = p[i];

		if (i)
			*at++ = '.';
		if (v >= 100)
			*at++ = (char)('0' + v / 100);
		if (v >= 10)
			*at++ = (char)('0' + v / 10 % 10);
		*at++ = (char)('0' + v % 10);
	}
	end_text(l, from, (size_t)(at - from));
}

/* Finds the longest run of at least two zero groups (RFC 5952); *first is -1 if there is none. */
static void find_zero_run(const uint8_t *p, int *first, int *len)
{
	int run = 0;

	*first = -1;
	*len = 1;
	for (int i = 0; i < 8; i++) {
		run = p[2 * i] | p[2 * i + 1] ? 0 : run + 1;
		if (run > *len) {
			*len = run;
			*first = i - run + 1;
		}
	}
}

void put_ip6(struct line *l, const uint8_t *p)
{
	int first, len;
	/* ::ffff:192.0.2.1, and ::192.0.2.1 */
	bool mapped = !memcmp(p, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

	find_zero_run(p, &first, &len);
	for (int i = 0; i < 8; i++) {
		if (i == first) {
			PUT(l, "::");
			i += len - 1;
			continue;
		}
		if (i && (first < 0 || i != first + len))
			put_char(l, ':');
		if (i == 6 && (mapped || (first == 0 && len == 6))) {
			put_ip4(l, p + 12);
			return;
		}
		put_hex(l, be16_at(p + 2 * i));
	}
}

void put_ip(struct line *l, const uint8_t *p, uint8_t len)
{
	if (len == 4)
		put_ip4(l, p);
	else
		put_ip6(l, p);
}

void dissect_put_address(struct buf *out, const uint8_t *bytes, uint8_t len)
{
	char text[64];
	struct line l = { .at = text, .end = text + sizeof(text) };

	put_ip(&l, bytes, len);
	buf_add(out, text, (size_t)(l.at - text));
}

void put_mac(struct line *l, const uint8_t *p)
{
	char text[17];

	for (int i = 0; i < 6; i++) {
		text[3 * i] = hex_digits[p[i] >> 4];
		text[3 * i + 1] = hex_digits[p[i] & 15];
		if (i < 5)
			text[3 * i + 2] = ':';
	}
	put_mem(l, text, sizeof(text));
}

void put_truncated(struct line *l, const char *name)
{
	PUT(l, " [|");
	put_str(l, name);
	put_char(l, ']');
}

const char *find_value_name(const struct value_name *names, size_t n, uint32_t value)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].value == value)
			return names[i].name;
	return NULL;
}

void put_value_name(struct line *l, const char *name, const char *fallback, uint32_t value)
{
	if (name) {
		put_str(l, name);
		return;
	}
	put_str(l, fallback);
	put_u32(l, value);
}

void put_bits(struct line *l, const struct value_name *names, size_t n, uint32_t bits,
	      const char *sep)
{
	const char *between = "";

	for (size_t i = 0; i < n; i++) {
		if (!(bits & names[i].value))
			continue;
		put_str(l, between);
		put_str(l, names[i].name);
		between = sep;
	}
	if (!*between)
		PUT(l, "none");
}
