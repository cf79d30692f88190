/* SPDX-License-Identifier: MIT */
/* The tables that gen writes and obj reads: a BPF object as const data, without ELF. */
#ifndef OBJ_SPEC_H
#define OBJ_SPEC_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include "obj/streams.h"

/* A ld_imm64 that refers to a map. The values are those of bpf_insn.src_reg (linux/bpf.h). */
enum spec_reloc_kind {
	SPEC_MAP_FD = BPF_PSEUDO_MAP_FD,
	SPEC_MAP_VALUE = BPF_PSEUDO_MAP_VALUE,
};

struct spec_reloc {
	uint32_t insn; /* index of the ld_imm64's first half in the program's instructions */
	uint16_t kind; /* enum spec_reloc_kind */
	uint16_t map;  /* index in spec.maps */
	uint32_t off;  /* SPEC_MAP_VALUE: byte offset in the map's only value */
};

/* Kinds of CO-RE relocation that gen accepts. The values are those of enum bpf_core_relo_kind
 * (linux/bpf.h). */
enum spec_core_kind {
	SPEC_FIELD_OFFSET = 0, /* byte offset of type.path */
	SPEC_FIELD_SIZE = 1,   /* byte size of type.path */
	SPEC_FIELD_EXISTS = 2, /* 1 if type.path exists */
	SPEC_TYPE_EXISTS = 8,  /* 1 if type exists */
	SPEC_TYPE_SIZE = 9,    /* byte size of type */
	SPEC_ENUM_EXISTS = 10, /* 1 if enum type has the enumerator named by path */
	SPEC_ENUM_VALUE = 11,  /* value of that enumerator */
};

/* An instruction whose immediate or offset depends on the running kernel's types. path: member
 * names joined by dots, array elements as [N] ("__sk_common.skc_dport", "data[2].x"), without
 * anonymous structs and unions. gen cuts off flavours (the ___suffix of a type's name). */
struct spec_core {
	uint32_t insn;
	uint16_t kind;    /* enum spec_core_kind */
	uint16_t size;    /* SPEC_FIELD_OFFSET: the field's bytes as compiled, else 0 */
	const char *type; /* name without "struct ", "union " or "enum " */
	const char *path; /* "" if the kind needs none */
};

/* The same in fewer bytes, as gen writes it: offsets in spec.names instead of pointers, each of
 * which would cost a relocation. */
struct spec_packed_core {
	uint16_t insn, kind, size, type, path;
};

/* Names are arrays: a pointer would cost a relocation. */
struct spec_map {
	char name[BPF_OBJ_NAME_LEN]; /* at most 15 characters of [A-Za-z0-9_.] */
	uint32_t type;               /* enum bpf_map_type */
	uint32_t key_size, value_size, max_entries, flags;
	uint32_t key_type, value_type; /* ids in spec.btf; 0: none */
	/* global data: value_size bytes for key 0; NULL: none, or .bss */
	const uint8_t *image;
	bool frozen; /* .rodata: freeze it after filling */
	bool global; /* .rodata, .data or .bss */
};

struct spec_prog {
	char name[BPF_OBJ_NAME_LEN]; /* the C function's, at most 15 characters */
	uint32_t type;               /* enum bpf_prog_type */
	uint32_t attach_type;        /* enum bpf_attach_type, 0 if the type has none */
	const char *target;          /* the part of the section's name after the slash, or NULL */
	bool returns;                /* probe the function's return instead of its entry */
	/* in spec.code: the program, then all subprograms that it reaches */
	uint32_t first, ninsns;
	uint32_t stub; /* index of the last subprogram's first instruction if that is a stub (its
			  name starts with stub_), whose code may be replaced; else 0 */
	const struct spec_reloc *relocs;
	uint32_t nrelocs;
	const struct spec_core *cores;         /* NULL: they are packed */
	const struct spec_packed_core *packed; /* ncores in either array */
	uint32_t ncores;
};

struct spec {
	const char *name; /* of the source file: bpf/NAME.bpf.c */
	const char *license;
	const struct spec_map *maps;
	uint32_t nmaps;
	const struct spec_prog *progs;
	uint32_t nprogs;
	/* All programs' instructions: their streams as a block for unpack(), or the plain
	 * instructions if those are not longer than the block. */
	const void *code;
	uint32_t code_len, ninsns;
	uint32_t streams[STREAMS]; /* bytes of each */
	const char *names;         /* of packed cores, each ends with a NUL */
	/* types of the maps' keys and values, or NULL; loading them is optional */
	const uint8_t *btf;
	uint32_t btf_len;
	uint32_t conf_map;           /* index of the map with the object's `conf`; nmaps: none */
	uint32_t conf_off, conf_len; /* its place in that map's value, and its size in bytes */
};

#endif
