/* SPDX-License-Identifier: MIT */
/* Identifies files by inode. Opens a process's files through procfs, which needs neither access to
 * its root directory nor a name of the file. */
#define _GNU_SOURCE
#include "base/array.h"
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

/* Files already searched. */
struct seen_file {
	dev_t dev;
	ino_t ino;
};

struct tls_search {
	struct trace *t;
	const struct obj *o;
	struct seen_file seen[FILES_MAX];
	uint32_t n;
	bool full; /* some files could not be watched */
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
enum { FUNCTIONS = ARRAY_LEN(functions) };

struct tls_functions {
	uint64_t value[FUNCTIONS];
};

static int find_tls_function(const struct elf_symbol *symbol, void *arg)
{
	struct tls_functions *p = arg;

	if (strncmp(symbol->name, "SSL_", 4))
		return 0;
	for (int i = 0; i < FUNCTIONS; i++)
		if (!strcmp(symbol->name, functions[i].name))
			p->value[i] = symbol->value;
	return 0;
}

static int attach_function(struct tls_search *s, const char *path, uint64_t offset, uint32_t prog)
{
	const struct obj *o = s->o;
	int in = perf_attach_uprobe(path, offset, false, o->prog_fd[TLS_PROG_SONDE_TLS_ENTER]);
	int out = in < 0 ? in : perf_attach_uprobe(path, offset, true, o->prog_fd[prog]);

	if (out < 0) {
		if (in >= 0)
			close(in);
		return out;
	}
	return trace_keep_link(s->t, in) && trace_keep_link(s->t, out) ? 0 : -E2BIG;
}

/* Attaches to the TLS functions of a file. Returns how many it has, or -errno. */
static int attach_file(struct tls_search *s, const char *path)
{
	struct tls_functions found = { 0 };
	struct elf e = { 0 };
	uint64_t offset;
	int rc = elf_open(&e, path), n = 0;

	if (rc)
		return rc;
	/* the programs cannot read the registers of 32-bit programs */
	if (e.wide != (sizeof(long) == sizeof(uint64_t))) {
		elf_close(&e);
		return 0;
	}
	elf_walk_functions(&e, find_tls_function, &found);
	for (int i = 0; i < FUNCTIONS && !rc; i++) {
		if (!found.value[i] || elf_find_offset(&e, found.value[i], &offset))
			continue;
		rc = attach_function(s, path, offset, functions[i].prog);
		n += !rc;
	}
	elf_close(&e);
	s->t->ntls_files += n > 0;
	s->full |= rc == -E2BIG;
	return rc ? rc : n;
}

/* Returns true if a file has not been searched yet. */
static bool is_unseen(struct tls_search *s, const char *path)
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
	s->seen[s->n++] = (struct seen_file){ st.st_dev, st.st_ino };
	return true;
}

static bool is_library(const char *name)
{
	return !strncmp(name, "libssl", 6) && strstr(name, ".so");
}

/* Parses a line of maps (proc(5)): "BEGIN-END rwxp OFFSET DEV INODE   PATH". */
static void try_mapping(struct tls_search *s, const char *pid, char *line)
{
	char path[64], *path_at = strchr(line, '/'), *base, *space = strchr(line, ' ');

	if (!path_at || !space || space[3] != 'x')
		return;
	base = strrchr(path_at, '/') + 1;
	if (!is_library(base))
		return;
	snprintf(path, sizeof(path), "%s/map_files/%.*s", pid, (int)(space - line), line);
	if (is_unseen(s, path))
		attach_file(s, path);
}

static void try_process(struct tls_search *s, int proc, const char *pid)
{
	struct buf maps = { 0 };
	char path[64], *line, *next;
	int fd;

	snprintf(path, sizeof(path), "%s/exe", pid);
	if (is_unseen(s, path))
		attach_file(s, path);
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

/* procfs may be mounted nowhere, so paths are relative to its directory. */
static int try_processes(struct tls_search *s)
{
	int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int proc = mnt_open_dir("proc", "/proc", PROC_SUPER_MAGIC);
	DIR *dir = proc < 0 ? NULL : fdopendir(proc);
	struct dirent *e;

	if (dir && cwd >= 0 && !fchdir(proc)) {
		while ((e = readdir(dir)))
			if (*e->d_name >= '1' && *e->d_name <= '9')
				try_process(s, proc, e->d_name);
		if (fchdir(cwd) < 0)
			proc = -errno;
	}
	if (dir)
		closedir(dir);
	if (cwd >= 0)
		close(cwd);
	return proc < 0 ? proc : 0;
}

/* Finds the libraries of programs that start later. */
static bool try_library(const char *path, const char *name, void *arg)
{
	struct tls_search *s = arg;

	if (is_library(name) && is_unseen(s, path))
		attach_file(s, path);
	return false;
}

static int try_named(struct tls_search *s, const struct opt_list *names)
{
	for (unsigned int i = 0; names && i < names->n; i++) {
		int n = is_unseen(s, names->at[i]) ? attach_file(s, names->at[i]) : 1;

		if (n < 0)
			return fail(n, "%s: %s", names->at[i], elf_open_error(n));
		if (!n)
			return fail(-ENOENT,
				    "%s has no SSL_read or SSL_write: it is stripped, or "
				    "does not use OpenSSL",
				    names->at[i]);
		if (access(names->at[i], R_OK) < 0)
			return fail_errno(-errno, "%s", names->at[i]);
	}
	return 0;
}

int trace_tls_attach(struct trace *t, const struct obj *o)
{
	struct tls_search *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return fail_errno(-ENOMEM, "TLS");
	s->t = t;
	s->o = o;
	rc = try_named(s, t->opts.tls_files);
	if (!rc) {
		try_processes(s);
		libs_walk(try_library, s);
	}
	if (!rc && s->full)
		note("too many files with OpenSSL, some are not watched: choose with --tls-file");
	free(s);
	if (!rc && !t->ntls_files)
		return fail(-ENOENT, "no process uses OpenSSL, and no libssl was found: "
				     "name a file with --tls-file");
	return rc;
}
