/* SPDX-License-Identifier: MIT */
/* A compiled BPF object in, a spec and its C text out: what gen's main, its tests and its fuzzer
 * see. */
#ifndef GEN_GEN_H
#define GEN_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "obj/spec.h"

/* The first thing that is wrong with an object: "section X: symbol Y: what". */
struct diag {
	char msg[320];
};

struct gen_chunk;

/* Everything that a reading allocates, freed at once; its sum is limited. */
struct gen_mem {
	struct gen_chunk *last;
	size_t used;
};

/* Where a function stands in its program's instructions. */
struct gen_func {
	const char *name;
	uint32_t start, len;
};

struct gen_layout {
	const struct bpf_insn *insns; /* the program's, spec_prog.ninsns of them */
	const struct gen_func *funcs; /* the program itself, then its subprograms */
	uint32_t nfuncs;
};

struct gen_obj {
	struct spec spec;                 /* but its code, which is in the layouts */
	const char *const *map_labels;    /* one a map: its name in C ("hot", "rodata") */
	const struct gen_layout *layouts; /* one a program */
	bool big; /* the target's byte order, which data images and BTF are in */
	struct gen_mem mem;
};

/* Read an ELF object of len bytes. name is the spec's name. Fills *out and returns 0, or says why
 * not in *d, leaves *out alone and returns -EINVAL. Keeps no pointer into elf. */
int gen_read(const uint8_t *elf, size_t len, const char *name, struct gen_obj *out, struct diag *d);

void gen_obj_close(struct gen_obj *obj);

/* The object's instructions as spec.code and .streams have them (in the target's byte order if they
 * are not packed), to be freed; NULL if there is no memory. */
uint8_t *gen_pack(const struct gen_obj *obj, uint32_t *len, uint32_t streams[STREAMS]);

/* A text that grows; once memory fails it stays failed and takes nothing more. */
struct gen_text {
	char *at;
	size_t len, cap;
	bool failed;
};

void gen_text_close(struct gen_text *t);

/* Write NAME.gen.c and NAME.gen.h behind what is in the text. 0 or -ENOMEM. */
int gen_emit_source(const struct gen_obj *obj, struct gen_text *t);
int gen_emit_header(const struct gen_obj *obj, struct gen_text *t);

#endif
