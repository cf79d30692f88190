/* SPDX-License-Identifier: MIT */
/* Neither procfs nor tracefs has to be mounted. */
#include "probe/scan.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "probe/call.h"
#include "sys/elf.h"
#include "sys/mnt.h"
#include "sys/stream.h"
#include "trace/symbols.h"

struct scan {
	scan_each *each;
	void *arg;
};

static int hand_on(const struct scan *s, const char *name, size_t len)
{
	char text[TARGET_NAME];

	if (len >= sizeof(text))
		return 0;
	memcpy(text, name, len);
	text[len] = '\0';
	return s->each(text, s->arg);
}

/* "NAME", or "NAME [MODULE]". */
static int take_line(const char *line, size_t len, void *arg)
{
	const char *blank = memchr(line, ' ', len);

	/* System calls are told by their own names. */
	if (len > 9 && !strncmp(line, "syscalls:", 9))
		return 0;
	return hand_on(arg, line, blank ? (size_t)(blank - line) : len);
}

static int take_symbol(uint64_t addr, const char *name, size_t len, void *arg)
{
	(void)addr;
	/* What stands in front of functions, and parts of them that compilers move away. */
	if ((len > 6 && (!strncmp(name, "__pfx_", 6) || !strncmp(name, "__cfi_", 6))) ||
	    (len > 5 && !strncmp(name + len - 5, ".cold", 5)))
		return 0;
	return hand_on(arg, name, len);
}

static int scan_tracefs(const char *file, struct scan *s)
{
	int fd = mnt_open("tracefs", "/sys/kernel/tracing", file), rc;

	if (fd < 0)
		return fd;
	rc = stream_lines(fd, take_line, s);
	close(fd);
	return rc;
}

int scan_functions(scan_each *each, void *arg)
{
	struct scan s = { each, arg };
	struct symbols symbols = { 0 };
	int rc = scan_tracefs("available_filter_functions", &s);

	if (rc >= 0)
		return rc;
	symbols_open(&symbols);
	rc = symbols_walk(&symbols, take_symbol, &s);
	symbols_close(&symbols);
	return rc;
}

int scan_tracepoints(scan_each *each, void *arg)
{
	struct scan s = { each, arg };
	int rc = scan_tracefs("available_events", &s), number;
	char text[TARGET_NAME];
	const char *name;

	if (rc > 0)
		return rc;
	for (unsigned int i = 0; (name = call_name(i, &number)); i++) {
		snprintf(text, sizeof(text), "syscalls:sys_enter_%s", name);
		if (each(text, arg))
			return 1;
		snprintf(text, sizeof(text), "syscalls:sys_exit_%s", name);
		if (each(text, arg))
			return 1;
	}
	return 0;
}

int scan_raw(const struct btf *types, scan_each *each, void *arg)
{
	return btf_walk_tracepoints(types, each, arg);
}

static int take_function(const struct elf_symbol *symbol, void *arg)
{
	return hand_on(arg, symbol->name, strlen(symbol->name));
}

int scan_file(const char *path, scan_each *each, void *arg)
{
	struct scan s = { each, arg };
	struct elf e = { 0 };
	int rc = elf_open(&e, path);

	if (rc)
		return rc;
	rc = elf_walk_functions(&e, take_function, &s);
	elf_close(&e);
	return rc;
}
