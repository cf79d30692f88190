/* SPDX-License-Identifier: MIT */
/* The BTF types of an object: found by id, measured, walked, and reduced to what maps need. */
#ifndef GEN_BTF_H
#define GEN_BTF_H

#include <linux/btf.h>

#include "gen/slice.h"

struct reader;

/* Limit for chains of typedefs, qualifiers or array dimensions; compilers make shorter ones. */
#define BTF_DEPTH_MAX 32

struct btf {
	struct slice types, strs;
	uint32_t *offs; /* offset in types by id; offs[0] is unused */
	uint32_t n;     /* the highest id + 1 */
};

struct type {
	const char *name; /* "": none */
	uint32_t id, kind, vlen;
	bool kflag;
	uint32_t name_off;
	uint32_t ref;      /* the size, or the id of another type */
	struct slice tail; /* the data after struct btf_type */
};

struct member {
	const char *name;
	uint32_t name_off, type;
	uint32_t bit_off;
	uint32_t bits; /* size of a bitfield; 0: no bitfield */
};

int gen_btf_open(struct reader *r);

/* Gets the type with this id; id 0 is void, with kind BTF_KIND_UNKN. */
bool gen_btf_get_type(const struct btf *btf, uint32_t id, struct type *t);

/* Like gen_btf_get_type(), but skips typedefs, qualifiers and type tags. */
bool gen_btf_resolve(const struct btf *btf, uint32_t id, struct type *t);

/* Gets the size of a type in bytes. */
bool gen_btf_get_size(const struct btf *btf, uint32_t id, uint32_t *size);

/* Member i of a struct or union. */
bool gen_btf_get_member(const struct btf *btf, const struct type *t, uint32_t i, struct member *m);

/* Word i (32 bits) of a type's tail. */
bool gen_btf_get_word(const struct type *t, uint32_t i, uint32_t *v);

/* Gets the section of global variables of this name. */
bool gen_btf_find_section(const struct btf *btf, const char *name, struct type *sec);

/* Variable i of a section. */
bool gen_btf_get_var(const struct btf *btf, const struct type *sec, uint32_t i, struct type *var);

/* Fills in spec.btf: the types of used maps' keys and values, in the target's byte order. */
int gen_reduce_btf(struct reader *r);

#endif
