/* SPDX-License-Identifier: MIT */
/* A file is known by its inode, whatever its names are: a process's view of it is opened by way of
 * procfs, which needs neither its root nor that the file still has a name. */
#define _GNU_SOURCE
#include "trace/tls.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/err.h"
#include "gen/tls.gen.h"
#include "sys/elf.h"
#include "sys/libs.h"
#include "sys/mnt.h"
#include "sys/perf.h"

enum { FILES_MAX = 8192, MAPS_MAX = 1 << 22 };

/* Files that were looked at. */
struct seen {
	dev_t dev;
	ino_t ino;
};

struct search {
	struct trace *t;
	const struct obj *o;
	struct seen seen[FILES_MAX];
	uint32_t n;
	bool full; /* there are more than can be watched */
};

static const struct {
	const char *name;
	uint32_t prog;
} functions[] = {
	{ "SSL_write", TLS_PROG_SONDE_TLS_WRITE },
	{ "SSL_read", TLS_PROG_SONDE_TLS_READ },
	{ "SSL_write_ex", TLS_PROG_SONDE_TLS_WR_EX },
	{ "SSL_read_ex", TLS_PROG_SONDE_TLS_RD_EX },
};
enum { FUNCTIONS = sizeof(functions) / sizeof(*functions) };

struct places {
	uint64_t value[FUNCTIONS];
};

static int note_function(const struct elf_symbol *symbol, void *arg)
{
	struct places *p = arg;

	if (strncmp(symbol->name, "SSL_", 4))
		return 0;
	for (int i = 0; i < FUNCTIONS; i++)
		if (!strcmp(symbol->name, functions[i].name))
			p->value[i] = symbol->value;
	return 0;
}

static int put(struct search *s, const char *path, uint64_t offset, uint32_t prog)
{
	const struct obj *o = s->o;
	int in = perf_attach_uprobe(path, offset, false, o->prog_fd[TLS_PROG_SONDE_TLS_ENTER]);
	int out = in < 0 ? in : perf_attach_uprobe(path, offset, true, o->prog_fd[prog]);

	if (out < 0) {
		if (in >= 0)
			close(in);
		return out;
	}
	return trace_hold(s->t, in) && trace_hold(s->t, out) ? 0 : -E2BIG;
}

/* A file that may have the functions. How many it has, or -errno. */
static int try(struct search *s, const char *path)
{
	struct places places = { 0 };
	struct elf e = { 0 };
	uint64_t offset;
	int rc = elf_open(&e, path), n = 0;

	if (rc)
		return rc;
	/* Registers of a 32-bit program are not where these programs look. */
	if (e.wide != (sizeof(long) == sizeof(uint64_t))) {
		elf_close(&e);
		return 0;
	}
	elf_walk_functions(&e, note_function, &places);
	for (int i = 0; i < FUNCTIONS && !rc; i++) {
		if (!places.value[i] || elf_find_offset(&e, places.value[i], &offset))
			continue;
		rc = put(s, path, offset, functions[i].prog);
		n += !rc;
	}
	elf_close(&e);
	s->t->libs += n > 0;
	s->full |= rc == -E2BIG;
	return rc ? rc : n;
}

/* Whether it is met for the first time. */
static bool is_new(struct search *s, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	s->full |= s->n == FILES_MAX;
	if (s->n == FILES_MAX)
		return false;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->seen[i].dev == st.st_dev && s->seen[i].ino == st.st_ino)
			return false;
	s->seen[s->n++] = (struct seen){ st.st_dev, st.st_ino };
	return true;
}

static bool is_library(const char *name)
{
	return !strncmp(name, "libssl", 6) && strstr(name, ".so");
}

/* A line of maps (proc(5)): "BEGIN-END rwxp OFFSET DEV INODE   PATH". */
static void try_mapping(struct search *s, const char *pid, char *line)
{
	char path[64], *path_at = strchr(line, '/'), *base, *space = strchr(line, ' ');

	if (!path_at || !space || space[3] != 'x')
		return;
	base = strrchr(path_at, '/') + 1;
	if (!is_library(base))
		return;
	snprintf(path, sizeof(path), "%s/map_files/%.*s", pid, (int)(space - line), line);
	if (is_new(s, path))
		try(s, path);
}

static void try_process(struct search *s, int proc, const char *pid)
{
	struct buf maps = { 0 };
	char path[64], *line, *next;
	int fd;

	snprintf(path, sizeof(path), "%s/exe", pid);
	if (is_new(s, path))
		try(s, path);
	snprintf(path, sizeof(path), "%s/maps", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	buf_read(&maps, fd, MAPS_MAX);
	buf_char(&maps, '\0');
	close(fd);
	for (line = maps.nomem ? NULL : maps.data; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		try_mapping(s, pid, line);
	}
	buf_free(&maps);
}

/* Paths of a procfs that may be mounted nowhere are told from its directory on. */
static int try_processes(struct search *s)
{
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int proc = mnt_open_dir("proc", "/proc", PROC_SUPER_MAGIC);
	DIR *dir = proc < 0 ? NULL : fdopendir(proc);
	struct dirent *e;

	if (dir && here >= 0 && !fchdir(proc)) {
		while ((e = readdir(dir)))
			if (*e->d_name >= '1' && *e->d_name <= '9')
				try_process(s, proc, e->d_name);
		if (fchdir(here) < 0)
			proc = -errno;
	}
	if (dir)
		closedir(dir);
	if (here >= 0)
		close(here);
	return proc < 0 ? proc : 0;
}

/* Where programs that have yet to begin will find one. */
static bool try_library(const char *path, const char *name, void *arg)
{
	struct search *s = arg;

	if (is_library(name) && is_new(s, path))
		try(s, path);
	return false;
}

static int try_named(struct search *s, const struct opt_list *names)
{
	for (unsigned int i = 0; names && i < names->n; i++) {
		int n = is_new(s, names->at[i]) ? try(s, names->at[i]) : 1;

		if (n < 0)
			return fail(n, "%s: %s", names->at[i], elf_open_error(n));
		if (!n)
			return fail(-ENOENT,
				    "%s has no SSL_read and SSL_write: it is stripped, or "
				    "uses another library",
				    names->at[i]);
		if (access(names->at[i], R_OK) < 0)
			return fail_errno(-errno, "%s", names->at[i]);
	}
	return 0;
}

int trace_tls_attach(struct trace *t, const struct obj *o)
{
	struct search *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return fail_errno(-ENOMEM, "TLS");
	s->t = t;
	s->o = o;
	rc = try_named(s, t->opts.libs);
	if (!rc) {
		try_processes(s);
		libs_walk(try_library, s);
	}
	if (!rc && s->full)
		note("there are more files with OpenSSL than can be watched: --tls-file names "
		     "those that matter");
	free(s);
	if (!rc && !t->libs)
		return fail(-ENOENT,
			    "TLS: no process runs an OpenSSL, and there is no libssl here: "
			    "name a file (--tls-file)");
	return rc;
}
