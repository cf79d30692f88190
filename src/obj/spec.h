/* SPDX-License-Identifier: MIT */
/* What gen writes and obj reads: a BPF object as const tables, with no ELF left in it. */
#ifndef OBJ_SPEC_H
#define OBJ_SPEC_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include "obj/streams.h"

/* One ld_imm64 that names a map; the values are those of bpf_insn.src_reg (linux/bpf.h). */
enum spec_reloc_kind {
	SPEC_MAP_FD = BPF_PSEUDO_MAP_FD,
	SPEC_MAP_VALUE = BPF_PSEUDO_MAP_VALUE,
};

struct spec_reloc {
	uint32_t insn; /* index of the ld_imm64's first half in the program's insns */
	uint16_t kind; /* enum spec_reloc_kind */
	uint16_t map;  /* index in spec.maps */
	uint32_t off;  /* SPEC_MAP_VALUE: byte offset in the map's one value */
};

/* Kinds of CO-RE relocation that gen lets through; the values are those of enum
 * bpf_core_relo_kind (linux/bpf.h), so that an object and a spec speak alike. */
enum spec_core_kind {
	SPEC_FIELD_OFFSET = 0, /* byte offset of type.path */
	SPEC_FIELD_SIZE = 1,   /* byte size of type.path */
	SPEC_FIELD_EXISTS = 2, /* 1 if type.path is there */
	SPEC_TYPE_EXISTS = 8,  /* 1 if type is there */
	SPEC_TYPE_SIZE = 9,    /* byte size of type */
	SPEC_ENUM_EXISTS = 10, /* 1 if enum type has the enumerator named by path */
	SPEC_ENUM_VALUE = 11,  /* value of that enumerator */
};

/* One instruction whose immediate or offset depends on the running kernel's types.
 * path: member names joined by dots, array elements as [N] ("__sk_common.skc_dport",
 * "data[2].x"); anonymous structs and unions are left out of it. Flavours (the ___suffix
 * of a type's name) are cut off by gen. */
struct spec_core {
	uint32_t insn;
	uint16_t kind;    /* enum spec_core_kind */
	uint16_t size;    /* SPEC_FIELD_OFFSET: bytes of the field as compiled, else 0 */
	const char *type; /* name without "struct " or the like */
	const char *path; /* "" where the kind needs none */
};

/* The same in few bytes, as gen writes it: a pointer would cost its relocation, too. type, path:
 * where in spec.names. */
struct spec_packed_core {
	uint16_t insn, kind, size, type, path;
};

/* Names stand in their tables: a pointer to one would cost its relocation, too. */
struct spec_map {
	char name[BPF_OBJ_NAME_LEN]; /* at most 15 characters of [A-Za-z0-9_.] */
	uint32_t type;               /* enum bpf_map_type */
	uint32_t key_size, value_size, max_entries, flags;
	uint32_t key_type, value_type; /* ids in spec.btf, 0 if there is none */
	const uint8_t
		*image; /* global data: value_size bytes for key 0, else NULL; NULL for .bss */
	bool frozen;    /* .rodata: freeze after filling */
	bool global;    /* .rodata, .data or .bss */
};

struct spec_prog {
	char name[BPF_OBJ_NAME_LEN]; /* the C function's, at most 15 characters */
	uint32_t type;               /* enum bpf_prog_type */
	uint32_t attach_type;        /* enum bpf_attach_type, 0 if the type has none */
	const char *target;          /* after the slash of the section's name, or NULL */
	bool returns;                /* a function's probe is where that returns */
	uint32_t first, ninsns;      /* in spec.code: the program, then every subprogram that it
				      * reaches */
	uint32_t stub; /* index of the last subprogram's begin if that is a stub (its name begins
			* with stub_), whose code may be replaced; else 0 */
	const struct spec_reloc *relocs;
	uint32_t nrelocs;
	const struct spec_core *cores;         /* NULL: they are packed */
	const struct spec_packed_core *packed; /* ncores of either */
	uint32_t ncores;
};

struct spec {
	const char *name; /* of the source file: bpf/NAME.bpf.c */
	const char *license;
	const struct spec_map *maps;
	uint32_t nmaps;
	const struct spec_prog *progs;
	uint32_t nprogs;
	/* All programs' instructions: their streams as a block for unpack(), or just as they are if
	 * they have no more bytes than the block. */
	const void *code;
	uint32_t code_len, ninsns;
	uint32_t streams[STREAMS]; /* bytes of each */
	const char *names;         /* of packed cores, each ended by a NUL */
	const uint8_t *btf; /* the key and value types of the maps, or NULL; optional to load */
	uint32_t btf_len;
	uint32_t conf_map; /* index of the map that holds the object's `conf`; nmaps if none */
	uint32_t conf_off, conf_len; /* where in that map's value, and its size in bytes */
};

#endif
