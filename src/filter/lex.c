/* SPDX-License-Identifier: MIT */
/* Words, numbers, addresses and signs. */
#include "base/array.h"
#include "filter/lex.h"
#include <arpa/inet.h>
#include <string.h>

/* Not isdigit() and the like: they depend on the locale and on the sign of char. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool is_alnum(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static unsigned int hex_value(char c)
{
	return is_digit(c) ? (unsigned int)(c - '0') : (unsigned int)((c | 0x20) - 'a' + 10);
}

/* Six bytes in hex, separated by ':' or by '-'. */
static bool read_mac(const char *s, size_t len, uint8_t *bytes)
{
	char sign = '\0';
	int n = 0;

	for (size_t i = 0; i < len;) {
		unsigned int value = 0, digits = 0;

		for (; i < len && is_hex(s[i]) && digits < 2; i++, digits++)
			value = value << 4 | hex_value(s[i]);
		if (!digits || n == 6)
			return false;
		bytes[n++] = (uint8_t)value;
		if (i == len)
			break;
		if ((s[i] != ':' && s[i] != '-') || (sign && s[i] != sign) || i + 1 == len)
			return false;
		sign = s[i++];
	}
	return n == 6;
}

static bool read_ipv6(const char *s, size_t len, uint8_t *bytes)
{
	char copy[INET6_ADDRSTRLEN];

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, s, len);
	copy[len] = '\0';
	return inet_pton(AF_INET6, copy, bytes) == 1;
}

/* Two to four decimal numbers below 256, separated by dots. *bits: 8 for each. */
static bool read_ipv4(const char *s, size_t len, uint8_t *bytes, unsigned int *bits)
{
	size_t i = 0;
	int n = 0;

	while (n < 4) {
		unsigned int value = 0;
		size_t first = i;

		for (; i < len && is_digit(s[i]) && i - first < 3; i++)
			value = value * 10 + (unsigned int)(s[i] - '0');
		if (i == first || value > 255)
			return false;
		bytes[n++] = (uint8_t)value;
		if (i == len)
			break;
		if (s[i++] != '.')
			return false;
	}
	*bits = (unsigned int)n * 8;
	return i == len && n > 1;
}

/* Decimal, hex after 0x, or octal after 0; at most 64 bits. */
static bool read_number(const char *s, size_t len, uint64_t *value)
{
	unsigned int base = 10;
	size_t i = 0;

	if (len > 2 && s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		i = 2;
	} else if (len > 1 && s[0] == '0') {
		base = 8;
		i = 1;
	}
	*value = 0;
	for (; i < len; i++) {
		if (!is_hex(s[i]) || hex_value(s[i]) >= base ||
		    __builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, hex_value(s[i]), value))
			return false;
	}
	return true;
}

/* Parses a MAC or IPv6 address with colons. Returns false if it is none, or if colons are signs
 * here. */
static bool lex_colon_address(const struct lexer *l, struct token *t)
{
	size_t len = 0, colons = 0;

	for (; is_hex(t->text[len]) || t->text[len] == ':' || t->text[len] == '.'; len++)
		colons += t->text[len] == ':';
	if (l->depth || colons < 2 || is_alnum(t->text[len]))
		return false;
	t->len = len;
	if (read_mac(t->text, len, t->bytes))
		t->kind = TOKEN_MAC;
	else if (read_ipv6(t->text, len, t->bytes))
		t->kind = TOKEN_IPV6;
	else
		return false;
	return true;
}

static void lex_word(const struct lexer *l, struct token *t)
{
	bool digit = is_digit(*t->text);
	size_t len = 0;

	while (is_alnum(t->text[len]) || t->text[len] == '_' || t->text[len] == '.' ||
	       (t->text[len] == '-' && is_alnum(t->text[len + 1]) && !(l->depth && digit)))
		len++;
	t->len = len;
	t->kind = TOKEN_WORD;
	if (read_number(t->text, len, &t->value))
		t->kind = TOKEN_NUMBER;
	else if (read_ipv4(t->text, len, t->bytes, &t->bits))
		t->kind = TOKEN_IPV4;
	else if (read_mac(t->text, len, t->bytes))
		t->kind = TOKEN_MAC;
}

static void lex_sign(struct token *t)
{
	static const char *const pairs[] = { "&&", "||", "<<", ">>", "<=", ">=", "==", "!=" };
	const char *s = t->text;

	t->kind = TOKEN_SIGN;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		if (strncmp(s, pairs[i], 2))
			continue;
		t->len = 2;
		t->value = SIGN2((uint64_t)pairs[i][0], (uint64_t)pairs[i][1]);
		return;
	}
	t->len = 1;
	t->value = (uint8_t)*s;
	if (!strchr("()[]:/+-*%&|^!<>=", *s))
		t->kind = TOKEN_BAD;
}

/* "any name", or a word after a backslash. */
static void lex_quoted(struct token *t)
{
	char quote = *t->text++;

	t->kind = TOKEN_QUOTED;
	t->len = 0;
	if (quote == '\\') {
		while (is_alnum(t->text[t->len]) ||
		       (t->text[t->len] && strchr("_.-", t->text[t->len])))
			t->len++;
		return;
	}
	while (t->text[t->len] && t->text[t->len] != '"')
		t->len++;
	if (!t->text[t->len])
		t->kind = TOKEN_BAD;
}

/* Skips white space. */
static struct token start_token(struct lexer *l)
{
	while (is_space(l->text[l->pos]))
		l->pos++;
	return (struct token){ .pos = l->pos, .text = l->text + l->pos };
}

struct token lex_next(struct lexer *l)
{
	struct token t = start_token(l);
	char c = *t.text;

	if (!c)
		return t;
	if (c == '"' || c == '\\')
		lex_quoted(&t);
	else if ((is_hex(c) || c == ':') && lex_colon_address(l, &t))
		;
	else if (is_alnum(c) || c == '_')
		lex_word(l, &t);
	else
		lex_sign(&t);
	l->pos = (size_t)(t.text - l->text) + t.len + (c == '"' && t.kind == TOKEN_QUOTED);
	if (t.kind == TOKEN_SIGN)
		l->depth += t.value == '[' ? 1 : t.value == ']' && l->depth ? -1 : 0;
	return t;
}

struct token lex_raw(struct lexer *l)
{
	struct token t = start_token(l);

	if (*t.text == '"')
		return lex_next(l);
	while (t.text[t.len] && !is_space(t.text[t.len]) && t.text[t.len] != ')')
		t.len++;
	t.kind = t.len ? TOKEN_QUOTED : TOKEN_END;
	l->pos += t.len;
	return t;
}

bool token_is(const struct token *t, const char *word)
{
	return t->kind == TOKEN_WORD && strlen(word) == t->len && !memcmp(t->text, word, t->len);
}

size_t token_dash(const struct token *t)
{
	const char *dash =
		t->kind == TOKEN_WORD || t->kind == TOKEN_MAC ? memchr(t->text, '-', t->len) : NULL;

	return dash ? (size_t)(dash - t->text) : 0;
}
