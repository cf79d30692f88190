/* SPDX-License-Identifier: MIT */
/* Gets the file of an address from /proc/PID/maps (proc_pid_maps(5)), and the function from that
 * file's symbols. */
#define _GNU_SOURCE
#include "probe/user.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "out/page.h"
#include "sys/elf.h"
#include "sys/mnt.h"

enum { MAPS_MAX = 1 << 22, SYMBOLS_MAX = 1 << 20, NAMES_MAX = 1 << 24, PATH_LEN = 512 };

struct user_process {
	uint32_t pid;
	struct buf maps;  /* as read, with a NUL */
	uint64_t read_ns; /* when, of clock_mono() */
	bool current;     /* the last attempt to read succeeded */
};

struct user_symbol {
	uint64_t value, size;
	uint32_t name; /* offset in names */
};

struct user_file {
	uint64_t device, inode; /* 0: none */
	struct elf elf;
	struct buf symbols, names;
};

int users_open(struct users *u)
{
	int dir = mnt_open_dir("proc", "/proc", PROC_SUPER_MAGIC);

	u->proc = dir < 0 ? 0 : dir;
	u->processes = calloc(USER_PROCESSES, sizeof(*u->processes));
	u->files = calloc(USER_FILES, sizeof(*u->files));
	return u->processes && u->files ? 0 : -ENOMEM;
}

static void close_file(struct user_file *f)
{
	elf_close(&f->elf);
	buf_free(&f->symbols);
	buf_free(&f->names);
	*f = (struct user_file){ 0 };
}

void users_close(struct users *u)
{
	for (uint32_t i = 0; u->processes && i < USER_PROCESSES; i++)
		buf_free(&u->processes[i].maps);
	for (uint32_t i = 0; u->files && i < USER_FILES; i++)
		close_file(&u->files[i]);
	free(u->processes);
	free(u->files);
	if (u->proc)
		close(u->proc);
	*u = (struct users){ 0 };
}

static struct user_process *find_process(const struct users *u, uint32_t pid)
{
	for (uint32_t i = 0; i < USER_PROCESSES; i++)
		if (u->processes[i].pid == pid)
			return &u->processes[i];
	return NULL;
}

/* Reads a process's mappings. Keeps the last ones if it has ended, or cannot be read. */
static void read_maps(const struct users *u, struct user_process *p)
{
	struct buf maps = { 0 };
	char path[32];
	int fd;

	p->read_ns = clock_mono();
	p->current = false;
	snprintf(path, sizeof(path), "%u/maps", p->pid);
	fd = u->proc ? openat(u->proc, path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	if (buf_read(&maps, fd, MAPS_MAX) || !maps.len) {
		buf_free(&maps);
	} else {
		buf_char(&maps, '\0');
		buf_free(&p->maps);
		p->current = !maps.nomem;
		p->maps = maps;
		if (maps.nomem)
			buf_free(&p->maps);
	}
	close(fd);
}

static struct user_process *get_process(struct users *u, uint32_t pid)
{
	struct user_process *p = find_process(u, pid);

	if (p)
		return p;
	p = &u->processes[u->next_process++ % USER_PROCESSES];
	buf_free(&p->maps);
	*p = (struct user_process){ .pid = pid };
	read_maps(u, p);
	return p;
}

struct mapping {
	uint64_t start, offset;
	uint64_t device, inode; /* of the file */
	const char *path;       /* up to the line's end */
	size_t len;
};

enum { START, END, OFFSET, MAJOR, MINOR, INODE, FIELDS };

static bool is_code(const char *line)
{
	const char *blank = strchr(line, ' ');

	return blank && strlen(blank) > 4 && blank[3] == 'x';
}

/* Parses "START-END rwxp OFFSET MAJOR:MINOR INODE   PATH". */
static bool read_fields(const char *line, uint64_t n[FIELDS])
{
	char *at = (char *)(uintptr_t)line;

	for (int i = 0; i < FIELDS; i++) {
		char *end;

		n[i] = strtoull(at, &end, i == INODE ? 10 : 16);
		if (end == at)
			return false;
		at = end + (i == END ? strcspn(end + 1, " ") + 1 : *end != '\0');
	}
	return true;
}

/* Finds the next mapping with an address, from *from on, and advances that; any: the next one with
 * code. */
static bool find_mapping(const char **from, bool any, uint64_t addr, struct mapping *m)
{
	const char *line = *from, *next, *path;

	for (; line && *line; line = next) {
		uint64_t n[FIELDS];

		next = strchr(line, '\n');
		next = next ? next + 1 : line + strlen(line);
		*from = next;
		if (!read_fields(line, n) || (!any && (addr < n[START] || addr >= n[END])) ||
		    (any && !is_code(line)))
			continue;
		path = memchr(line, '/', (size_t)(next - line));
		*m = (struct mapping){ .start = n[START],
				       .offset = n[OFFSET],
				       .device = n[MAJOR] << 32 | n[MINOR],
				       .inode = n[INODE],
				       .path = path,
				       .len = path ? (size_t)(next - path) - (next[-1] == '\n')
						   : 0 };
		return true;
	}
	return false;
}

static int add_symbol(const struct elf_symbol *symbol, void *arg)
{
	struct user_file *f = arg;
	struct user_symbol at = { symbol->value, symbol->size, (uint32_t)f->names.len };

	if (f->symbols.len / sizeof(at) >= SYMBOLS_MAX || f->names.len >= NAMES_MAX)
		return 1;
	buf_add(&f->symbols, &at, sizeof(at));
	buf_add(&f->names, symbol->name, strlen(symbol->name) + 1);
	return 0;
}

static int compare_values(const void *a, const void *b)
{
	const struct user_symbol *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* Opens a file as the process sees it, whose root directory may differ. */
static struct user_file *get_file(struct users *u, uint32_t pid, const struct mapping *m)
{
	struct user_file *f;
	char path[PATH_LEN];
	int root;

	for (uint32_t i = 0; i < USER_FILES; i++) {
		f = &u->files[i];
		if (f->inode == m->inode && f->device == m->device)
			return f;
	}
	f = &u->files[u->next_file++ % USER_FILES];
	close_file(f);
	root = snprintf(path, sizeof(path), "%u/root", pid);
	if ((size_t)snprintf(path + root, sizeof(path) - (size_t)root, "%.*s", (int)m->len,
			     m->path) >= sizeof(path) - (size_t)root)
		return NULL;
	/* even if it cannot be read, so as to try once only */
	f->device = m->device;
	f->inode = m->inode;
	if (elf_open_at(&f->elf, u->proc, path))
		return f;
	elf_walk_functions(&f->elf, add_symbol, f);
	if (!f->symbols.nomem && !f->names.nomem)
		qsort(f->symbols.data, f->symbols.len / sizeof(struct user_symbol),
		      sizeof(struct user_symbol), compare_values);
	else
		buf_clear(&f->symbols);
	return f;
}

/* Returns the function that contains an address. */
static const struct user_symbol *find_symbol(const struct user_file *f, uint64_t value)
{
	const struct user_symbol *at = (const struct user_symbol *)(const void *)f->symbols.data;
	size_t low = 0, high = f->symbols.len / sizeof(*at);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (at[middle].value <= value)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || (at[low - 1].size && value - at[low - 1].value >= at[low - 1].size))
		return NULL;
	return &at[low - 1];
}

static void append_file_name(struct buf *out, const char *name, size_t len)
{
	char copy[PATH_LEN];

	snprintf(copy, sizeof(copy), "%.*s", (int)len, name);
	page_clean(out, copy);
}

void users_read_maps(struct users *u, uint32_t pid)
{
	struct user_process *p;
	const char *from;
	struct mapping m;

	if (!pid || find_process(u, pid))
		return;
	p = get_process(u, pid);
	from = p->maps.data;
	while (find_mapping(&from, true, 0, &m))
		if (m.len && m.inode)
			get_file(u, pid, &m);
}

static bool find_address(const struct user_process *p, uint64_t addr, struct mapping *m)
{
	const char *from = p->maps.data;

	return find_mapping(&from, false, addr, m);
}

bool users_append_name(struct users *u, uint32_t pid, uint64_t addr, struct buf *out)
{
	struct user_process *p = get_process(u, pid);
	const struct user_symbol *symbol = NULL;
	struct mapping m = { 0 };
	const char *base;
	struct user_file *f;
	uint64_t value;
	bool found = find_address(p, addr, &m);

	/* Read again, as files may have been loaded since, but not for each address without a
	 * mapping. */
	if (!found && clock_mono() - p->read_ns > NS_PER_S) {
		read_maps(u, p);
		found = find_address(p, addr, &m);
	}
	if (!found && p->current)
		return false;
	if (!found || !m.len) {
		buf_printf(out, "0x%llx", (unsigned long long)addr);
		return true;
	}
	value = addr - m.start + m.offset;
	f = get_file(u, pid, &m);
	if (f && f->elf.len && !elf_find_value(&f->elf, value, &value))
		symbol = find_symbol(f, value);
	if (symbol) {
		page_clean(out, f->names.data + symbol->name);
		buf_printf(out, "+0x%llx", (unsigned long long)(value - symbol->value));
		return true;
	}
	base = memrchr(m.path, '/', m.len);
	base = base ? base + 1 : m.path;
	append_file_name(out, base, (size_t)(m.path + m.len - base));
	buf_printf(out, "+0x%llx", (unsigned long long)value);
	return true;
}
