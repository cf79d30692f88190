/* SPDX-License-Identifier: MIT */
/* The process and verdict of a packet as pcapng comments, written and read back. */
#include <stdio.h>
#include <string.h>
#include "base/utf8.h"
#include "net/capfile/internal.h"

#define PROCESS_PREFIX "process: "

static const char *const verdicts[] = {
	[FRAME_PASS] = "verdict: pass",
	[FRAME_DROP] = "verdict: drop",
};
enum { VERDICTS = ARRAY_LEN(verdicts) };

/* Comments must be UTF-8, but process names may be any bytes. Returns the end of the text. */
static char *escape_text(char *to, const char *s, size_t n)
{
	while (n) {
		uint32_t cp;
		size_t len = utf8_decode(s, n, &cp);
		bool plain = cp != UTF8_BAD && cp != '\\' && !utf8_is_control(cp);

		for (size_t i = 0; i < len; i++, to += plain ? 1 : 4)
			if (plain)
				*to = s[i];
			else
				snprintf(to, 5, "\\x%02x", (uint8_t)s[i]);
		s += len;
		n -= len;
	}
	return to;
}

static size_t make_process_comment(const struct frame *f, char *text)
{
	char *to = text + strlen(PROCESS_PREFIX);

	if (!f->pid && !f->comm[0])
		return 0;
	memcpy(text, PROCESS_PREFIX, strlen(PROCESS_PREFIX));
	to = escape_text(to, f->comm, strnlen(f->comm, sizeof(f->comm) - 1));
	to += sprintf(to, "[%u]", f->pid);
	return (size_t)(to - text);
}

size_t capfile_make_comment(const struct frame *f, unsigned int i, char *text)
{
	size_t len;

	if (i == COMMENT_PROCESS)
		return make_process_comment(f, text);
	if (f->verdict >= VERDICTS || !verdicts[f->verdict])
		return 0;
	len = strlen(verdicts[f->verdict]);
	memcpy(text, verdicts[f->verdict], len);
	return len;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void unescape_text(char *to, size_t room, const char *s, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n && len < room - 1; i++) {
		char c = s[i];

		if (n - i >= 4 && c == '\\' && s[i + 1] == 'x' && hex_value(s[i + 2]) >= 0 &&
		    hex_value(s[i + 3]) >= 0) {
			c = (char)(hex_value(s[i + 2]) << 4 | hex_value(s[i + 3]));
			i += 3;
		}
		to[len++] = c;
	}
	memset(to + len, 0, room - len);
}

/* Parses "[1234]" at the end of the text. Returns the length of the text before it, or SIZE_MAX. */
static size_t read_pid(const char *text, size_t len, uint32_t *pid)
{
	uint64_t n = 0, unit = 1;
	size_t at = len;

	if (!at || text[--at] != ']')
		return SIZE_MAX;
	for (; at && text[at - 1] >= '0' && text[at - 1] <= '9'; at--, unit *= 10) {
		if (len - at > 10)
			return SIZE_MAX;
		n += unit * (unsigned int)(text[at - 1] - '0');
	}
	if (unit == 1 || n > UINT32_MAX || !at || text[at - 1] != '[')
		return SIZE_MAX;
	*pid = (uint32_t)n;
	return at - 1;
}

bool capfile_parse_comment(struct frame *f, const char *text, size_t len)
{
	size_t prefix = strlen(PROCESS_PREFIX), name;

	for (uint8_t v = 0; v < VERDICTS; v++)
		if (verdicts[v] && len == strlen(verdicts[v]) && !memcmp(text, verdicts[v], len)) {
			f->verdict = v;
			return true;
		}
	if (len < prefix || memcmp(text, PROCESS_PREFIX, prefix) != 0)
		return false;
	name = read_pid(text + prefix, len - prefix, &f->pid);
	if (name == SIZE_MAX)
		return false;
	unescape_text(f->comm, sizeof(f->comm), text + prefix, name);
	return true;
}
