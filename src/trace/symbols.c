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
#include "out/page.h"
#include "sys/mnt.h"
#include "sys/stream.h"

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

struct walk {
	symbols_each *each;
	void *arg;
};

/* A line: "ADDRESS TYPE NAME", then perhaps a tab and "[MODULE]". Functions only. */
static int take_line(const char *line, size_t len, void *arg)
{
	const struct walk *w = arg;
	uint64_t addr = 0;
	size_t at = 0, end;

	for (; at < len && line[at] != ' '; at++)
		addr = addr << 4 | (uint64_t)((line[at] & 15) + (line[at] > '9' ? 9 : 0));
	if (at + 3 >= len || !strchr("tTwW", line[at + 1]))
		return 0;
	for (end = at + 3; end < len && line[end] != '\t'; end++)
		;
	return w->each(addr, line + at + 3, end - at - 3, w->arg);
}

int symbols_walk(const struct symbols *s, symbols_each *each, void *arg)
{
	struct walk w = { each, arg };
	int fd = s->proc ? openat(s->proc, "kallsyms", O_RDONLY | O_CLOEXEC) : -1, rc;

	if (fd < 0)
		return s->proc ? -errno : -ENOENT;
	rc = stream_lines(fd, take_line, &w);
	close(fd);
	return rc;
}

struct search {
	struct symbol *open[SYMBOLS_ASKED];
	size_t n;
};

static int compare(uint64_t addr, const char *name, size_t len, void *arg)
{
	const struct search *search = arg;

	for (size_t i = 0; addr && i < search->n; i++) {
		struct symbol *s = search->open[i];

		if (addr > s->addr || addr <= s->begin)
			continue;
		s->begin = addr;
		len = len < sizeof(s->name) ? len : sizeof(s->name) - 1;
		memcpy(s->name, name, len);
		s->name[len] = '\0';
	}
	return 0;
}

void symbols_find(struct symbols *s, const uint64_t *addrs, size_t n)
{
	struct search search = { .n = 0 };

	if (!s->kept)
		s->kept = calloc(SYMBOLS_KEPT, sizeof(*s->kept));
	for (size_t i = 0; s->kept && i < n && search.n < SYMBOLS_ASKED; i++) {
		if (kept(s, addrs[i]))
			continue;
		if (s->n == SYMBOLS_KEPT)
			s->n = 0; /* those still needed come again */
		s->kept[s->n] = (struct symbol){ .addr = addrs[i] };
		search.open[search.n++] = &s->kept[s->n++];
	}
	if (search.n)
		symbols_walk(s, compare, &search);
}

const struct symbol *symbols_of(struct symbols *s, uint64_t addr)
{
	const struct symbol *found = s->kept ? kept(s, addr) : NULL;

	if (found)
		return found;
	symbols_find(s, &addr, 1);
	return s->kept ? kept(s, addr) : NULL;
}

/* at: what is looked up for addr. */
static void put(struct symbols *s, uint64_t addr, uint64_t at, struct buf *out)
{
	const struct symbol *symbol = symbols_of(s, at);

	if (symbol && symbol->begin) {
		page_clean(out, symbol->name);
		buf_printf(out, "+0x%llx", (unsigned long long)(addr - symbol->begin));
	} else {
		buf_printf(out, "0x%llx", (unsigned long long)addr);
	}
}

void symbols_put(struct symbols *s, uint64_t addr, struct buf *out)
{
	put(s, addr, addr, out);
}

/* What runs a tracing program stands in front of what it was put at. */
static bool is_own(const struct symbol *symbol)
{
	static const char *const own[] = { "bpf_prog_", "bpf_trace_run", "__bpf_trace_",
					   "__traceiter_" };

	for (size_t i = 0; symbol && i < sizeof(own) / sizeof(*own); i++)
		if (!strncmp(symbol->name, own[i], strlen(own[i])))
			return true;
	return false;
}

/* A return address belongs to the call in front of it, which may be a function's last instruction.
 */
static uint64_t place_of(const uint64_t *frames, uint32_t i)
{
	return i ? frames[i] - 1 : frames[i];
}

uint32_t symbols_put_stack(struct symbols *s, const uint64_t *frames, uint32_t n,
			   const char *before, const char *behind, struct buf *out)
{
	uint64_t places[SYMBOLS_ASKED];
	uint32_t i = 0, first;

	n = n < SYMBOLS_ASKED ? n : SYMBOLS_ASKED;
	for (; i < n; i++)
		places[i] = place_of(frames, i);
	symbols_find(s, places, n); /* all of them in one walk */
	for (i = 0; i < n && is_own(symbols_of(s, places[i])); i++)
		;
	for (first = i; i < n; i++) {
		buf_str(out, before);
		put(s, frames[i], places[i], out);
		buf_str(out, behind);
	}
	return n - first;
}
