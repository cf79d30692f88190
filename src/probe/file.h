/* SPDX-License-Identifier: MIT */
/* Programs and libraries that uprobes are attached to. */
#ifndef PROBE_FILE_H
#define PROBE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum { FILE_PATH = 256 };

struct probe_file {
	char path[FILE_PATH];
	uint64_t offset; /* of the symbol */
	bool is_64bit;   /* a 64-bit program */
	bool searched;   /* the path was found by the file's name */
	dev_t dev;       /* as the file was found */
	ino_t ino;
	struct timespec mtime;
};

struct file_symbol {
	const char *text; /* the target as typed, for errors */
	const char *name; /* of a function; or an address, "0x..." */
	uint64_t offset;  /* from the start of the function */
};

/* Turns a file name without a slash into a path: of a program as a shell finds it, or of a
 * library. */
void file_find_path(struct probe_file *f);
/* Finds the file of f->path and the offset of a symbol in it. Returns 0 or -errno. Reports errors,
 * with the most similar name. */
int file_find_symbol(struct probe_file *f, const struct file_symbol *want);

enum file_change { FILE_SAME, FILE_GONE, FILE_REPLACED, FILE_CHANGED };
/* Compares the file with the one that was found. */
enum file_change file_changed(const struct probe_file *f);

#endif
