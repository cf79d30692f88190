/* SPDX-License-Identifier: MIT */
/* Shared by the steps of reading an object: its parts as read so far, errors, memory. */
#ifndef GEN_READ_H
#define GEN_READ_H

#include <errno.h>

#include "gen/btf.h"
#include "gen/elf.h"
#include "gen/gen.h"

enum {
	INSN_SIZE = 8,
	NAME_MAX_LEN = 15, /* the kernel's BPF_OBJ_NAME_LEN without the final NUL */
	SECS_MAX = 1024,
	MAPS_MAX = 256,
	PROGS_MAX = 256,
	INSNS_MAX = 1 << 18, /* of all programs together, with their subprograms */
	DATA_MAX = 32 << 20, /* bytes of one data section */
	MEM_MAX = 128 << 20,
};

/* A function of an executable section: a program or a subprogram. */
struct func {
	const char *name;
	uint32_t sec;
	uint32_t start, len; /* in instructions of the section */
	bool local;
};

/* A CO-RE record of .BTF.ext (struct bpf_core_relo). */
struct core_rec {
	uint32_t sec, insn;
	uint32_t type;
	uint32_t kind;
	const char *access;
};

struct map {
	struct spec_map spec;
	const char *label;
	uint32_t sec;
	uint64_t off;              /* offset in .maps; 0 for global data */
	uint32_t key_id, value_id; /* types in the object's BTF, 0: none */
	bool used;
	uint32_t index; /* index in the spec; set once all programs are read */
};

struct reader {
	const char *name;
	struct gen_obj *out;
	struct diag *d;
	struct elf elf;
	struct btf btf;
	struct core_rec *cores; /* sorted by section and instruction */
	uint32_t ncores;
	struct func *funcs; /* sorted by section and start */
	uint32_t nfuncs;
	struct map *maps;
	uint32_t nmaps;
	uint32_t ninsns;  /* of all programs so far */
	struct map *conf; /* the map with the variable `conf`, or NULL */
};

/* Sets the error message, and keeps an earlier one. sec and sym may be NULL. Returns -EINVAL. */
int gen_fail(struct reader *r, const char *sec, const char *sym, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Zeroed memory for n elements, freed with the object. NULL after gen_fail(). */
void *gen_alloc(struct reader *r, size_t n, size_t size);
char *gen_strndup(struct reader *r, const char *s, size_t len);
char *gen_strdup(struct reader *r, const char *s);
void gen_mem_close(struct gen_mem *mem);

/* Returns true if s is a C identifier. */
bool gen_is_ident(const char *s);

/* Returns true if both names become the same when written as upper-case C identifiers. */
bool gen_same_label(const char *a, const char *b);

/* sections.c: the meaning of section names. */
struct prog_row {
	const char *name; /* the section's; after a final slash comes a target */
	uint32_t type, attach_type;
};

/* Returns the row of a program section, with its target (NULL: none); NULL: not a program
 * section. */
const struct prog_row *gen_find_prog_row(const char *name, const char **target);
/* Returns true if a section is of a kind: its name is ".data", say, or starts with ".data.". */
bool gen_is_section_kind(const char *name, const char *kind);
int gen_check_sections(struct reader *r);

/* maps.c */
int gen_read_maps(struct reader *r);
int gen_list_maps(struct reader *r);
struct map *gen_find_map(struct reader *r, uint32_t sec, uint64_t off);

/* data.c */
int gen_read_data(struct reader *r);
int gen_read_conf(struct reader *r);

/* core.c */
int gen_read_cores(struct reader *r);
int gen_make_core(struct reader *r, const struct func *f, const struct core_rec *rec,
		  const struct bpf_insn *insn, struct spec_core *out);

/* funcs.c */
int gen_read_funcs(struct reader *r);
const struct func *gen_find_func(const struct reader *r, uint32_t sec, uint64_t start);

/* link.c: fills in a program's instructions, relocs (with indices in r->maps) and cores. */
int gen_link_prog(struct reader *r, const struct func *f, struct spec_prog *prog,
		  struct gen_layout *layout);

/* progs.c */
int gen_read_progs(struct reader *r);

#endif
