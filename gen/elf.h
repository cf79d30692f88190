/* SPDX-License-Identifier: MIT */
/* The sections, symbols and relocations of an ELF64 BPF object, checked and in host byte order. */
#ifndef GEN_ELF_H
#define GEN_ELF_H

#include "gen/slice.h"

struct reader;

struct elf_sec {
	const char *name;
	uint32_t type;
	uint64_t flags;
	uint64_t size;
	uint32_t link, info;
	struct slice data; /* size bytes, none for SHT_NOBITS */
};

struct elf_sym {
	const char *name; /* a section symbol has the section's */
	uint8_t type, bind;
	uint32_t sec; /* index in elf.secs, 0 if undefined, or SHN_ABS */
	uint64_t value, size;
};

struct elf_rel {
	uint32_t sec; /* the section to be changed */
	uint32_t type;
	uint32_t sym;
	uint64_t off;
};

/* rels has the relocations of loaded sections only, sorted by section and offset; those of debug
 * information are not needed. */
struct elf {
	bool big;
	struct elf_sec *secs;
	uint32_t nsecs;
	struct elf_sym *syms;
	uint32_t nsyms;
	struct elf_rel *rels;
	uint32_t nrels;
};

int gen_elf_open(struct reader *r, struct slice file);

/* Returns the first section of this name; NULL: none. */
const struct elf_sec *gen_elf_find_sec(const struct elf *elf, const char *name);

/* Returns the first symbol of this name in this section; NULL: none. */
const struct elf_sym *gen_elf_find_sym(const struct elf *elf, const struct elf_sec *sec,
				       const char *name);

static inline uint32_t elf_section_index(const struct elf *elf, const struct elf_sec *sec)
{
	return (uint32_t)(sec - elf->secs);
}

#endif
