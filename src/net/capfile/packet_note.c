/* SPDX-License-Identifier: MIT */
/* Notes on packets, in pcapng's comments: the process and the verdict, as text that is read back.
 */
#include <stdio.h>
#include <string.h>
#include "base/utf8.h"
#include "net/capfile/internal.h"

#define PROCESS "process: "

static const char *const verdicts[] = {
	[FRAME_PASS] = "verdict: pass",
	[FRAME_DROP] = "verdict: drop",
};
enum { VERDICTS = sizeof(verdicts) / sizeof(*verdicts) };

/* A comment has to be UTF-8; a process may call itself anything. Returns the end. */
static char *escape(char *to, const char *s, size_t n)
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

static size_t note_process(const struct frame *f, char *text)
{
	char *to = text + strlen(PROCESS);

	if (!f->pid && !f->comm[0])
		return 0;
	memcpy(text, PROCESS, strlen(PROCESS));
	to = escape(to, f->comm, strnlen(f->comm, sizeof(f->comm) - 1));
	to += sprintf(to, "[%u]", f->pid);
	return (size_t)(to - text);
}

size_t capfile_note(const struct frame *f, unsigned int i, char *text)
{
	size_t len;

	if (i == NOTE_PROCESS)
		return note_process(f, text);
	if (f->verdict >= VERDICTS || !verdicts[f->verdict])
		return 0;
	len = strlen(verdicts[f->verdict]);
	memcpy(text, verdicts[f->verdict], len);
	return len;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void unescape(char *to, size_t room, const char *s, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n && len < room - 1; i++) {
		char c = s[i];

		if (n - i >= 4 && c == '\\' && s[i + 1] == 'x' && hex(s[i + 2]) >= 0 &&
		    hex(s[i + 3]) >= 0) {
			c = (char)(hex(s[i + 2]) << 4 | hex(s[i + 3]));
			i += 3;
		}
		to[len++] = c;
	}
	memset(to + len, 0, room - len);
}

/* "[1234]" at the end of the text: its length without that, or SIZE_MAX. */
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

bool capfile_note_read(struct frame *f, const char *text, size_t len)
{
	size_t prefix = strlen(PROCESS), name;

	for (uint8_t v = 0; v < VERDICTS; v++)
		if (verdicts[v] && len == strlen(verdicts[v]) && !memcmp(text, verdicts[v], len)) {
			f->verdict = v;
			return true;
		}
	if (len < prefix || memcmp(text, PROCESS, prefix) != 0)
		return false;
	name = read_pid(text + prefix, len - prefix, &f->pid);
	if (name == SIZE_MAX)
		return false;
	unescape(f->comm, sizeof(f->comm), text + prefix, name);
	return true;
}
