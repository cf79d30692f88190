/* SPDX-License-Identifier: MIT */
/* Finds functions in ELF files (elf(5)), which may be stripped or damaged. */
#ifndef SYS_ELF_H
#define SYS_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An open file, or its bytes in memory. Files are read, not mapped, since they may shrink
 * meanwhile. Zeroed: closed. */
struct elf {
	const uint8_t *data; /* NULL: read from fd */
	uint64_t len;
	int fd;
	uint16_t machine; /* EM_* of elf.h */
	bool wide;        /* a 64-bit file */
};

/* Opens a file. -ENOEXEC: not ELF that this machine can run; other errors as open(2). */
int elf_open(struct elf *e, const char *path);
/* Like elf_open(), relative to the directory dir (openat(2)). */
int elf_open_at(struct elf *e, int dir, const char *path);
/* Opens bytes in memory, which the caller keeps while *e is in use. */
int elf_open_blob(struct elf *e, const void *data, size_t len);
void elf_close(struct elf *e);
/* Returns the message for an error of elf_open(). */
const char *elf_open_error(int rc);

struct elf_symbol {
	const char *name;
	uint64_t value, size; /* value: the address that the file is linked for (st_value) */
	bool is_ifunc;        /* its code selects the function at load time (STT_GNU_IFUNC) */
};
/* Called for each function that the file defines, from both the full and the dynamic symbol table:
 * a function may occur twice. Skips hidden versions, which are only for old programs. A value other
 * than 0 ends the walk and is returned. */
typedef int elf_each(const struct elf_symbol *symbol, void *arg);
int elf_walk_functions(const struct elf *e, elf_each *each, void *arg);

/* Converts a symbol's value to the offset of its code in the file. -ENOENT: it is not in the
 * file. */
int elf_find_offset(const struct elf *e, uint64_t value, uint64_t *offset);
/* Converts an offset of code in the file to a symbol value. -ENOENT. */
int elf_find_value(const struct elf *e, uint64_t offset, uint64_t *value);

#endif
