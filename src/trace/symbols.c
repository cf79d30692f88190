/* SPDX-License-Identifier: MIT */
/* Reads /proc/kallsyms (proc(5)) as a stream: megabytes, of which few names are needed. */
#define _GNU_SOURCE
#include "base/array.h"
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
	free(s->cache);
	*s = (struct symbols){ 0 };
}

static struct symbol *find_cached(const struct symbols *s, uint64_t addr)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->cache[i].addr == addr)
			return &s->cache[i];
	return NULL;
}

struct walk {
	symbols_each *each;
	void *arg;
};

/* Passes on functions from a line "ADDRESS TYPE NAME", perhaps with a tab and "[MODULE]". */
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
	struct symbol *pending[SYMBOLS_BATCH];
	size_t n;
};

static int update_nearest(uint64_t addr, const char *name, size_t len, void *arg)
{
	const struct search *search = arg;

	for (size_t i = 0; addr && i < search->n; i++) {
		struct symbol *s = search->pending[i];

		if (addr > s->addr || addr <= s->start)
			continue;
		s->start = addr;
		len = len < sizeof(s->name) ? len : sizeof(s->name) - 1;
		memcpy(s->name, name, len);
		s->name[len] = '\0';
	}
	return 0;
}

void symbols_find(struct symbols *s, const uint64_t *addrs, size_t n)
{
	struct search search = { .n = 0 };

	if (!s->cache)
		s->cache = calloc(SYMBOLS_CACHED, sizeof(*s->cache));
	for (size_t i = 0; s->cache && i < n && search.n < SYMBOLS_BATCH; i++) {
		if (find_cached(s, addrs[i]))
			continue;
		if (s->n == SYMBOLS_CACHED)
			s->n = 0; /* those still needed are looked up again */
		s->cache[s->n] = (struct symbol){ .addr = addrs[i] };
		search.pending[search.n++] = &s->cache[s->n++];
	}
	if (search.n)
		symbols_walk(s, update_nearest, &search);
}

const struct symbol *symbols_lookup(struct symbols *s, uint64_t addr)
{
	const struct symbol *found = s->cache ? find_cached(s, addr) : NULL;

	if (found)
		return found;
	symbols_find(s, &addr, 1);
	return s->cache ? find_cached(s, addr) : NULL;
}

/* Appends addr by the symbol at `at`. */
static void append_symbol(struct symbols *s, uint64_t addr, uint64_t at, struct buf *out)
{
	const struct symbol *symbol = symbols_lookup(s, at);

	if (symbol && symbol->start) {
		page_clean(out, symbol->name);
		buf_printf(out, "+0x%llx", (unsigned long long)(addr - symbol->start));
	} else {
		buf_printf(out, "0x%llx", (unsigned long long)addr);
	}
}

void symbols_append(struct symbols *s, uint64_t addr, struct buf *out)
{
	append_symbol(s, addr, addr, out);
}

/* Frames of the tracing program and of what runs it. */
static bool is_own(const struct symbol *symbol)
{
	static const char *const own[] = { "bpf_prog_", "bpf_trace_run", "__bpf_trace_",
					   "__traceiter_" };

	for (size_t i = 0; symbol && i < ARRAY_LEN(own); i++)
		if (!strncmp(symbol->name, own[i], strlen(own[i])))
			return true;
	return false;
}

/* A return address belongs to the preceding call, which may be a function's last instruction. */
static uint64_t call_address(const uint64_t *frames, uint32_t i)
{
	return i ? frames[i] - 1 : frames[i];
}

uint32_t symbols_append_stack(struct symbols *s, const uint64_t *frames, uint32_t n,
			      const char *prefix, const char *suffix, struct buf *out)
{
	uint64_t calls[SYMBOLS_BATCH];
	uint32_t i = 0, first;

	n = n < SYMBOLS_BATCH ? n : SYMBOLS_BATCH;
	for (; i < n; i++)
		calls[i] = call_address(frames, i);
	symbols_find(s, calls, n); /* all of them in one pass */
	for (i = 0; i < n && is_own(symbols_lookup(s, calls[i])); i++)
		;
	for (first = i; i < n; i++) {
		buf_str(out, prefix);
		append_symbol(s, frames[i], calls[i], out);
		buf_str(out, suffix);
	}
	return n - first;
}
