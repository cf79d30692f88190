/* SPDX-License-Identifier: MIT */
/* The types of an object: looked up by id, measured, walked, and reduced to what maps need. */
#ifndef GEN_BTF_H
#define GEN_BTF_H

#include <linux/btf.h>

#include "gen/slice.h"

struct reader;

/* A chain of typedefs, qualifiers or array dimensions longer than this is not from a compiler. */
#define BTF_DEPTH_MAX 32

struct btf {
	struct slice types, strs;
	uint32_t *offs; /* by id, offs[0] unused */
	uint32_t n;     /* ids are below it */
};

struct type {
	const char *name; /* "" for none */
	uint32_t id, kind, vlen;
	bool kflag;
	uint32_t name_off;
	uint32_t ref;      /* size, or the type referred to */
	struct slice tail; /* what follows its head */
};

struct member {
	const char *name;
	uint32_t name_off, type;
	uint32_t bit_off;
	uint32_t bits; /* of a bitfield, else 0 */
};

int gen_btf_open(struct reader *r);

/* The type of that id; id 0 is void, with kind BTF_KIND_UNKN. */
bool gen_btf_type(const struct btf *btf, uint32_t id, struct type *t);

/* The same behind typedefs, qualifiers and type tags. */
bool gen_btf_resolve(const struct btf *btf, uint32_t id, struct type *t);

/* The size of a type in bytes. */
bool gen_btf_size(const struct btf *btf, uint32_t id, uint32_t *size);

/* Member i of a struct or union. */
bool gen_btf_member(const struct btf *btf, const struct type *t, uint32_t i, struct member *m);

/* A number of ref's tail: of word i of 32 bits. */
bool gen_btf_word(const struct type *t, uint32_t i, uint32_t *v);

/* The section of global variables of that name. */
bool gen_btf_find_section(const struct btf *btf, const char *name, struct type *sec);

/* Variable i of a section. */
bool gen_btf_var(const struct btf *btf, const struct type *sec, uint32_t i, struct type *var);

/* The types of every used map's key and value, in the target's byte order, for spec.btf. */
int gen_reduce_btf(struct reader *r);

#endif
