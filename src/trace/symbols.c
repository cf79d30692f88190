/* SPDX-License-Identifier: MIT */
/* /proc/kallsyms (proc(5)) read as a stream: it has megabytes, of which a few names are wanted. */
#define _GNU_SOURCE
#include "trace/symbols.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sys/mnt.h"

enum { PIECE = 1 << 16 };

void symbols_open(struct symbols *s)
{
	int dir = mnt_open_dir("proc", "/proc", PROC_SUPER_MAGIC);

	s->proc = dir < 0 ? 0 : dir;
}

void symbols_close(struct symbols *s)
{
	if (s->proc)
		close(s->proc);
	free(s->kept);
	*s = (struct symbols){ 0 };
}

static struct symbol *kept(const struct symbols *s, uint64_t addr)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->kept[i].addr == addr)
			return &s->kept[i];
	return NULL;
}

/* A line: "ADDRESS TYPE NAME", then perhaps a tab and "[MODULE]". Functions only. */
static void take_line(struct symbol *const *open, size_t n, const char *line, size_t len)
{
	uint64_t addr = 0;
	size_t at = 0, end;

	for (; at < len && line[at] != ' '; at++)
		addr = addr << 4 | (uint64_t)((line[at] & 15) + (line[at] > '9' ? 9 : 0));
	if (at + 3 >= len || !addr || !strchr("tTwW", line[at + 1]))
		return;
	for (size_t i = 0; i < n; i++) {
		if (addr > open[i]->addr || addr <= open[i]->begin)
			continue;
		open[i]->begin = addr;
		for (end = at + 3; end < len && line[end] != '\t'; end++)
			;
		end -= at + 3;
		if (end >= sizeof(open[i]->name))
			end = sizeof(open[i]->name) - 1;
		memcpy(open[i]->name, line + at + 3, end);
		open[i]->name[end] = '\0';
	}
}

static void walk(int fd, struct symbol *const *open, size_t n)
{
	char *piece = malloc(PIECE);
	size_t have = 0;
	ssize_t got;

	while (piece && (got = read(fd, piece + have, PIECE - have)) > 0) {
		char *at = piece, *end = piece + have + got, *nl;

		while ((nl = memchr(at, '\n', (size_t)(end - at)))) {
			take_line(open, n, at, (size_t)(nl - at));
			at = nl + 1;
		}
		have = (size_t)(end - at);
		if (have == PIECE)
			break; /* no line is so long */
		memmove(piece, at, have);
	}
	free(piece);
}

void symbols_find(struct symbols *s, const uint64_t *addrs, size_t n)
{
	struct symbol *open[SYMBOLS_ASKED];
	size_t nopen = 0;
	int fd;

	if (!s->kept)
		s->kept = calloc(SYMBOLS_KEPT, sizeof(*s->kept));
	for (size_t i = 0; s->kept && i < n && nopen < SYMBOLS_ASKED; i++) {
		if (kept(s, addrs[i]))
			continue;
		if (s->n == SYMBOLS_KEPT)
			s->n = 0; /* those still needed come again */
		open[nopen] = &s->kept[s->n++];
		*open[nopen++] = (struct symbol){ .addr = addrs[i] };
	}
	if (!nopen || !s->proc)
		return;
	fd = openat(s->proc, "kallsyms", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	walk(fd, open, nopen);
	close(fd);
}

const struct symbol *symbols_of(struct symbols *s, uint64_t addr)
{
	const struct symbol *found = s->kept ? kept(s, addr) : NULL;

	if (found)
		return found;
	symbols_find(s, &addr, 1);
	return s->kept ? kept(s, addr) : NULL;
}
