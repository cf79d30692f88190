/* SPDX-License-Identifier: MIT */
/* The functions in a program's file: ELF (elf(5)), which may be stripped, or damaged. */
#ifndef SYS_ELF_H
#define SYS_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file that is open, or its bytes. It is read, not mapped: it may become shorter meanwhile.
 * Zeroed: closed. */
struct elf {
	const uint8_t *data; /* NULL: the descriptor's */
	uint64_t len;
	int fd;
	uint16_t machine; /* EM_* */
	bool wide;        /* of 64 bits */
};

/* -ENOEXEC: no ELF that this machine can run; else as open(2). */
int elf_open(struct elf *e, const char *path);
/* The same from a directory on (openat(2)). */
int elf_open_at(struct elf *e, int dir, const char *path);
/* Bytes that the caller keeps. */
int elf_open_blob(struct elf *e, const void *data, size_t len);
void elf_close(struct elf *e);
/* What opening one failed with, for people. */
const char *elf_open_error(int rc);

struct elf_symbol {
	const char *name;
	uint64_t value, size; /* value: where it is, before the file is moved in memory */
	bool chooses;         /* it is called to choose the function (STT_GNU_IFUNC) */
};
/* Called for each function that the file defines, of its whole table and of that for other files; a
 * function may come twice, those of versions that are for old programs only do not come. A value
 * other than 0 ends it and is returned. */
typedef int elf_each(const struct elf_symbol *symbol, void *arg);
int elf_walk_functions(const struct elf *e, elf_each *each, void *arg);

/* Where in the file code at such a place is. -ENOENT: it is not in the file. */
int elf_find_offset(const struct elf *e, uint64_t value, uint64_t *offset);
/* The other way: what place the code at an offset has. -ENOENT. */
int elf_find_value(const struct elf *e, uint64_t offset, uint64_t *value);

#endif
