/* SPDX-License-Identifier: MIT */
/* Paths are searched as shells and linkers do; symbols become offsets in the file. */
#include "probe/file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/err.h"
#include "probe/suggest.h"
#include "sys/elf.h"
#include "sys/libs.h"

static bool is_elf_file(const char *path)
{
	struct elf e = { 0 };
	struct stat st;

	/* of the same name in several folders, use the file for this machine */
	if (stat(path, &st) || !S_ISREG(st.st_mode) || elf_open(&e, path))
		return false;
	elf_close(&e);
	return true;
}

/* Sets f->path to folder/NAME if that is a program or library. */
static bool try_folder(struct probe_file *f, const char *folder, size_t len, const char *name)
{
	char path[FILE_PATH];

	if ((size_t)snprintf(path, sizeof(path), "%.*s/%s", (int)len, folder, name) >=
		    sizeof(path) ||
	    !is_elf_file(path))
		return false;
	memcpy(f->path, path, sizeof(path));
	return true;
}

struct library {
	struct probe_file *file;
	const char *name;
};

static bool match_library(const char *path, const char *name, void *arg)
{
	const struct library *l = arg;
	size_t len = strlen(path);

	if (strcmp(name, l->name) || len >= sizeof(l->file->path) || !is_elf_file(path))
		return false;
	memcpy(l->file->path, path, len + 1);
	return true;
}

void file_find_path(struct probe_file *f)
{
	const char *dirs = getenv("PATH");
	char name[FILE_PATH];

	if (strchr(f->path, '/'))
		return;
	f->searched = true;
	memcpy(name, f->path, sizeof(name));
	for (dirs = dirs ? dirs : "/usr/bin:/bin"; *dirs; dirs += strspn(dirs, ":")) {
		size_t len = strcspn(dirs, ":");

		if (try_folder(f, dirs, len, name))
			return;
		dirs += len;
	}
	libs_walk(match_library, &(struct library){ f, name });
}

struct symbol_search {
	const char *name;
	uint64_t value, size, other; /* other: of another function of that name */
	uint32_t functions;
	bool is_ifunc;
};

static int match_symbol(const struct elf_symbol *symbol, void *arg)
{
	struct symbol_search *s = arg;

	s->functions++;
	if (strcmp(symbol->name, s->name))
		return 0;
	if (s->value && s->value != symbol->value)
		s->other = symbol->value;
	s->value = symbol->value;
	s->size = symbol->size;
	s->is_ifunc = symbol->is_ifunc;
	return 0;
}

/* The address of a function that the file names once. Returns 0 or -errno. Reports errors. */
static int find_function(const struct probe_file *f, const struct elf *e,
			 const struct file_symbol *want, uint64_t *value)
{
	struct symbol_search s = { .name = want->name };

	elf_walk_functions(e, match_symbol, &s);
	if (!s.functions)
		return fail(-ENOENT,
			    "%s: %s has no function names (stripped): give an address (0x...)",
			    want->text, f->path);
	if (!s.value)
		return suggest_symbol(want->text, e, want->name);
	if (s.other)
		return fail(-ENOTUNIQ,
			    "%s: several functions in the file have that name: give an "
			    "address (%.*s:%s:0x%llx, 0x%llx, ...)",
			    want->text, (int)strcspn(want->text, ":"), want->text, f->path,
			    (unsigned long long)s.value, (unsigned long long)s.other);
	if (s.is_ifunc)
		note("%s only selects an implementation at program start (IFUNC): the "
		     "probe does not see its calls",
		     want->text);
	if (want->offset && want->offset >= s.size)
		return fail(-EINVAL, "%s: beyond the end of %s, which has %llu bytes", want->text,
			    want->name, (unsigned long long)s.size);
	*value = s.value;
	return 0;
}

static int parse_address(const struct file_symbol *want, uint64_t *value)
{
	char *end;

	*value = strtoull(want->name, &end, 16);
	return *end ? fail(-EINVAL, "%s: invalid address %s", want->text, want->name) : 0;
}

static int find_offset(struct probe_file *f, const struct elf *e, const struct file_symbol *want)
{
	bool is_address = !strncmp(want->name, "0x", 2);
	uint64_t value;
	int rc = is_address ? parse_address(want, &value) : find_function(f, e, want, &value);

	if (rc)
		return rc;
	if (want->offset || is_address)
		note("%s: must be at the start of an instruction: elsewhere the "
		     "probed program crashes",
		     want->text);
	if (elf_find_offset(e, value + want->offset, &f->offset))
		return fail(-ENOENT, "%s: no code at that address in the file", want->text);
	return 0;
}

int file_find_symbol(struct probe_file *f, const struct file_symbol *want)
{
	struct elf e = { 0 };
	struct stat st;
	int rc;

	file_find_path(f);
	rc = elf_open(&e, f->path);
	if (rc)
		return fail(rc, "%s: %s: %s", want->text, f->path, elf_open_error(rc));
	if (!stat(f->path, &st)) {
		f->dev = st.st_dev;
		f->ino = st.st_ino;
		f->mtime = st.st_mtim;
	}
	f->is_64bit = e.wide;
	rc = find_offset(f, &e, want);
	elf_close(&e);
	return rc;
}

enum file_change file_changed(const struct probe_file *f)
{
	struct stat st;

	if (stat(f->path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? FILE_GONE : FILE_SAME;
	if (st.st_dev != f->dev || st.st_ino != f->ino)
		return FILE_REPLACED;
	return st.st_mtim.tv_sec != f->mtime.tv_sec || st.st_mtim.tv_nsec != f->mtime.tv_nsec
		       ? FILE_CHANGED
		       : FILE_SAME;
}
