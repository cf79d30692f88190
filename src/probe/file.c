/* SPDX-License-Identifier: MIT */
/* A file without a symbol is asked for the nearest one. */
#include "probe/file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/err.h"
#include "sys/elf.h"
#include "sys/libs.h"

static bool is_file(const char *path)
{
	struct elf e = { 0 };
	struct stat st;

	/* Of several of that name in several folders the one that is for this machine. */
	if (stat(path, &st) || !S_ISREG(st.st_mode) || elf_open(&e, path))
		return false;
	elf_close(&e);
	return true;
}

/* folder/NAME as t->path, if that is a file. */
static bool try_folder(struct target *t, const char *folder, size_t len, const char *name)
{
	char path[TARGET_NAME];

	if ((size_t)snprintf(path, sizeof(path), "%.*s/%s", (int)len, folder, name) >=
		    sizeof(path) ||
	    !is_file(path))
		return false;
	memcpy(t->path, path, sizeof(path));
	return true;
}

struct library {
	struct target *target;
	const char *name;
};

static bool is_it(const char *path, const char *name, void *arg)
{
	const struct library *l = arg;
	size_t len = strlen(path);

	if (strcmp(name, l->name) || len >= sizeof(l->target->path) || !is_file(path))
		return false;
	memcpy(l->target->path, path, len + 1);
	return true;
}

void file_find_path(struct target *t)
{
	const char *dirs = getenv("PATH");
	char name[TARGET_NAME];

	if (strchr(t->path, '/'))
		return;
	t->searched = true;
	memcpy(name, t->path, sizeof(name));
	for (dirs = dirs ? dirs : "/usr/bin:/bin"; *dirs; dirs += strspn(dirs, ":")) {
		size_t len = strcspn(dirs, ":");

		if (try_folder(t, dirs, len, name))
			return;
		dirs += len;
	}
	libs_walk(is_it, &(struct library){ t, name });
}

struct hunt {
	const char *name;
	struct near near;
	uint64_t value, size, other; /* other: of another function of that name */
	uint32_t functions;
	bool chooses;
};

static int look(const struct elf_symbol *symbol, void *arg)
{
	struct hunt *h = arg;

	h->functions++;
	if (strcmp(symbol->name, h->name)) {
		near_try(&h->near, symbol->name);
		return 0;
	}
	if (h->value && h->value != symbol->value)
		h->other = symbol->value;
	h->value = symbol->value;
	h->size = symbol->size;
	h->chooses = symbol->is_ifunc;
	return 0;
}

static int find_symbol(struct target *t, const struct elf *e)
{
	struct hunt h = { .name = t->name };
	char *end;

	if (!strncmp(t->name, "0x", 2)) {
		h.value = strtoull(t->name, &end, 16);
		if (*end)
			return fail(-EINVAL, "%s: %s is no address", t->text, t->name);
	} else {
		near_begin(&h.near, t->name);
		elf_walk_functions(e, look, &h);
		if (!h.functions)
			return fail(-ENOENT,
				    "%s: %s names no functions: it is stripped; an address in it "
				    "can be given (0x...)",
				    t->text, t->path);
		if (!h.value)
			return target_none(t, "the file defines no such function", "", &h.near);
		if (h.other)
			return fail(-ENOTUNIQ,
				    "%s: several functions of the file have that name: give an "
				    "address (%s:%s:0x%llx, 0x%llx, ...)",
				    t->text, target_kinds[t->kind], t->path,
				    (unsigned long long)h.value, (unsigned long long)h.other);
		if (h.chooses)
			note("%s is what chooses a function when the program starts: it is that "
			     "choice which is probed",
			     t->text);
		if (t->plus && t->plus >= h.size)
			return fail(-EINVAL, "%s: %s has %llu bytes", t->text, t->name,
				    (unsigned long long)h.size);
	}
	if (t->plus || *t->name == '0')
		note("%s: that has to be where an instruction begins; elsewhere it breaks the "
		     "program",
		     t->text);
	if (elf_find_offset(e, h.value + t->plus, &t->offset))
		return fail(-ENOENT, "%s: there is no code in the file", t->text);
	return 0;
}

int file_find(struct target *t)
{
	struct elf e = { 0 };
	struct stat st;
	int rc;

	file_find_path(t);
	rc = elf_open(&e, t->path);
	if (rc)
		return fail(rc, "%s: %s: %s", t->text, t->path, elf_open_error(rc));
	if (!stat(t->path, &st)) {
		t->dev = st.st_dev;
		t->ino = st.st_ino;
		t->changed = st.st_mtim;
	}
	t->wide = e.wide;
	rc = find_symbol(t, &e);
	elf_close(&e);
	return rc;
}

enum file_change file_changed(const struct target *t)
{
	struct stat st;

	if (!target_is_user(t))
		return FILE_SAME;
	if (stat(t->path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? FILE_GONE : FILE_SAME;
	if (st.st_dev != t->dev || st.st_ino != t->ino)
		return FILE_REPLACED;
	return st.st_mtim.tv_sec != t->changed.tv_sec || st.st_mtim.tv_nsec != t->changed.tv_nsec
		       ? FILE_CHANGED
		       : FILE_SAME;
}
