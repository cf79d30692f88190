// SPDX-License-Identifier: MIT
/* Indexes an object's BTF and finds types in it. */
#include "base/array.h"
#include "gen/read.h"

enum {
	HEAD_SIZE = 12, /* struct btf_type of linux/btf.h */
	PTR_SIZE = 8,
};

/* Bytes after struct btf_type by kind: a fixed part, and a part for each of vlen elements. */
static const struct {
	uint8_t fixed, each;
} tails[] = {
	[BTF_KIND_INT] = { 4, 0 },        [BTF_KIND_PTR] = { 0, 0 },
	[BTF_KIND_ARRAY] = { 12, 0 },     [BTF_KIND_STRUCT] = { 0, 12 },
	[BTF_KIND_UNION] = { 0, 12 },     [BTF_KIND_ENUM] = { 0, 8 },
	[BTF_KIND_FWD] = { 0, 0 },        [BTF_KIND_TYPEDEF] = { 0, 0 },
	[BTF_KIND_VOLATILE] = { 0, 0 },   [BTF_KIND_CONST] = { 0, 0 },
	[BTF_KIND_RESTRICT] = { 0, 0 },   [BTF_KIND_FUNC] = { 0, 0 },
	[BTF_KIND_FUNC_PROTO] = { 0, 8 }, [BTF_KIND_VAR] = { 4, 0 },
	[BTF_KIND_DATASEC] = { 0, 12 },   [BTF_KIND_FLOAT] = { 0, 0 },
	[BTF_KIND_DECL_TAG] = { 4, 0 },   [BTF_KIND_TYPE_TAG] = { 0, 0 },
	[BTF_KIND_ENUM64] = { 0, 12 },
};

static bool parse_type(const struct btf *btf, uint64_t off, struct type *t)
{
	uint32_t info, len;

	if (!slice_read_u32(btf->types, off, &t->name_off) ||
	    !slice_read_u32(btf->types, off + 4, &info) ||
	    !slice_read_u32(btf->types, off + 8, &t->ref))
		return false;
	t->kind = BTF_INFO_KIND(info);
	t->vlen = BTF_INFO_VLEN(info);
	t->kflag = BTF_INFO_KFLAG(info);
	if (!t->kind || t->kind >= ARRAY_LEN(tails))
		return false;
	len = tails[t->kind].fixed + tails[t->kind].each * t->vlen;
	t->name = slice_read_str(btf->strs, t->name_off);
	return t->name && slice_cut(btf->types, off + HEAD_SIZE, len, &t->tail);
}

static int index_types(struct reader *r)
{
	struct btf *btf = &r->btf;
	struct type t;
	uint64_t off = 0;

	btf->offs = gen_alloc(r, btf->types.len / HEAD_SIZE + 1, sizeof(*btf->offs));
	if (!btf->offs)
		return -EINVAL;
	for (btf->n = 1; off < btf->types.len; btf->n++) {
		if (!parse_type(btf, off, &t))
			return gen_fail(r, ".BTF", NULL, "type %u is malformed or of unknown kind",
					btf->n);
		btf->offs[btf->n] = off;
		off += HEAD_SIZE + t.tail.len;
	}
	return 0;
}

int gen_btf_open(struct reader *r)
{
	const struct elf_sec *sec = gen_elf_find_sec(&r->elf, ".BTF");
	uint32_t head, type_off, type_len, str_off, str_len;
	uint16_t magic;
	struct slice s;

	if (!sec)
		return gen_fail(r, ".BTF", NULL, "is missing: compile with -g");
	s = sec->data;
	if (!slice_read_u16(s, 0, &magic) || magic != BTF_MAGIC || !slice_read_u32(s, 4, &head) ||
	    !slice_read_u32(s, 8, &type_off) || !slice_read_u32(s, 12, &type_len) ||
	    !slice_read_u32(s, 16, &str_off) || !slice_read_u32(s, 20, &str_len))
		return gen_fail(r, ".BTF", NULL, "has no BTF header");
	if (!slice_cut(s, (uint64_t)head + type_off, type_len, &r->btf.types) ||
	    !slice_cut(s, (uint64_t)head + str_off, str_len, &r->btf.strs))
		return gen_fail(r, ".BTF", NULL, "types or strings lie outside the section");
	return index_types(r);
}

bool gen_btf_get_type(const struct btf *btf, uint32_t id, struct type *t)
{
	*t = (struct type){ .name = "", .id = id };
	if (!id)
		return true;
	return id < btf->n && parse_type(btf, btf->offs[id], t);
}

bool gen_btf_resolve(const struct btf *btf, uint32_t id, struct type *t)
{
	for (int i = 0; i < BTF_DEPTH_MAX && gen_btf_get_type(btf, id, t); i++) {
		if (t->kind != BTF_KIND_TYPEDEF && t->kind != BTF_KIND_CONST &&
		    t->kind != BTF_KIND_VOLATILE && t->kind != BTF_KIND_RESTRICT &&
		    t->kind != BTF_KIND_TYPE_TAG)
			return true;
		id = t->ref;
	}
	return false;
}

bool gen_btf_get_word(const struct type *t, uint32_t i, uint32_t *v)
{
	return slice_read_u32(t->tail, (uint64_t)i * 4, v);
}

bool gen_btf_get_size(const struct btf *btf, uint32_t id, uint32_t *size)
{
	struct type t;
	uint64_t n = 1;
	uint32_t len;

	for (int i = 0; i < BTF_DEPTH_MAX && gen_btf_resolve(btf, id, &t); i++) {
		switch (t.kind) {
		case BTF_KIND_ARRAY:
			if (!gen_btf_get_word(&t, 0, &id) || !gen_btf_get_word(&t, 2, &len))
				return false;
			n *= len;
			break;
		case BTF_KIND_INT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_FLOAT:
		case BTF_KIND_PTR:
			n *= t.kind == BTF_KIND_PTR ? PTR_SIZE : t.ref;
			*size = n;
			return n <= UINT32_MAX;
		default:
			return false;
		}
		if (n > UINT32_MAX)
			return false;
	}
	return false;
}

bool gen_btf_get_member(const struct btf *btf, const struct type *t, uint32_t i, struct member *m)
{
	uint32_t off;

	if ((t->kind != BTF_KIND_STRUCT && t->kind != BTF_KIND_UNION) ||
	    !gen_btf_get_word(t, i * 3, &m->name_off) ||
	    !gen_btf_get_word(t, i * 3 + 1, &m->type) || !gen_btf_get_word(t, i * 3 + 2, &off))
		return false;
	m->name = slice_read_str(btf->strs, m->name_off);
	m->bit_off = t->kflag ? BTF_MEMBER_BIT_OFFSET(off) : off;
	m->bits = t->kflag ? BTF_MEMBER_BITFIELD_SIZE(off) : 0;
	return m->name != NULL;
}

bool gen_btf_find_section(const struct btf *btf, const char *name, struct type *sec)
{
	for (uint32_t id = 1; id < btf->n; id++)
		if (gen_btf_get_type(btf, id, sec) && sec->kind == BTF_KIND_DATASEC &&
		    !strcmp(sec->name, name))
			return true;
	return false;
}

bool gen_btf_get_var(const struct btf *btf, const struct type *sec, uint32_t i, struct type *var)
{
	uint32_t id;

	return gen_btf_get_word(sec, i * 3, &id) && gen_btf_get_type(btf, id, var) &&
	       var->kind == BTF_KIND_VAR;
}
