/* SPDX-License-Identifier: MIT */
/* Reads a compiled BPF object, and writes its spec (obj/spec.h) as C source. */
#ifndef GEN_GEN_H
#define GEN_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "obj/spec.h"

/* The first error in an object: "section X: symbol Y: message". */
struct diag {
	char msg[320];
};

struct gen_chunk;

/* All memory allocated while an object is read. It is freed at once, and its sum is limited. */
struct gen_mem {
	struct gen_chunk *last;
	size_t used;
};

/* A function's range in the instructions of a program. */
struct gen_func {
	const char *name;
	uint32_t start, len;
};

struct gen_layout {
	const struct bpf_insn *insns; /* spec_prog.ninsns of them */
	const struct gen_func *funcs; /* the program's own, then its subprograms */
	uint32_t nfuncs;
};

struct gen_obj {
	struct spec spec;                 /* without code, which is in layouts */
	const char *const *map_labels;    /* by map: its name in C ("counters", "rodata") */
	const struct gen_layout *layouts; /* by program */
	bool big;                         /* data images and BTF are big-endian, as the target is */
	struct gen_mem mem;
};

/* Reads an ELF object of len bytes. name: the spec's name. Returns 0 with *out, or -EINVAL with *d
 * and *out unchanged. Keeps no pointer into elf. */
int gen_read(const uint8_t *elf, size_t len, const char *name, struct gen_obj *out, struct diag *d);

void gen_obj_close(struct gen_obj *obj);

/* Returns the object's instructions in the format of spec.code and spec.streams; in the target's
 * byte order if packing does not make them smaller. The caller frees them. NULL: out of memory. */
uint8_t *gen_pack(const struct gen_obj *obj, uint32_t *len, uint32_t streams[STREAMS]);

/* A growing text. After an error, later appends do nothing. */
struct gen_text {
	char *at;
	size_t len, cap;
	const char *error; /* the first error, NULL: none */
};

void gen_text_close(struct gen_text *t);

/* Appends NAME.gen.c or NAME.gen.h to the text. Returns 0, or -EINVAL with t->error. */
int gen_emit_source(const struct gen_obj *obj, struct gen_text *t);
int gen_emit_header(const struct gen_obj *obj, struct gen_text *t);

#endif
