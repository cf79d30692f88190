// SPDX-License-Identifier: MIT
/* Reads the CO-RE records of .BTF.ext: turns accesses into names and checks the instructions. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "gen/read.h"

enum {
	EXT_CORE_OFF = 24, /* struct btf_ext_header: offset of core_relo_off */
	EXT_HEAD_MIN = 32, /* the length of a header that has it */
	REC_SIZE = 16,     /* struct bpf_core_relo */
	PATH_MAX_LEN = 512,
	ACCESS_MAX = 64, /* indices in one access */
};

static int compare_recs(const void *a, const void *b)
{
	const struct core_rec *x = a, *y = b;

	if (x->sec != y->sec)
		return x->sec < y->sec ? -1 : 1;
	return (x->insn > y->insn) - (x->insn < y->insn);
}

static int read_rec(struct reader *r, struct slice s, uint64_t at, const struct elf_sec *sec)
{
	struct core_rec *rec = &r->cores[r->ncores];
	uint32_t off, access;

	slice_read_u32(s, at, &off);
	slice_read_u32(s, at + 4, &rec->type);
	slice_read_u32(s, at + 8, &access);
	slice_read_u32(s, at + 12, &rec->kind);
	rec->sec = elf_section_index(&r->elf, sec);
	rec->insn = off / INSN_SIZE;
	rec->access = slice_read_str(r->btf.strs, access);
	if (!rec->access || off % INSN_SIZE || off >= sec->size)
		return gen_fail(r, ".BTF.ext", sec->name, "CO-RE record is malformed");
	r->ncores++;
	return 0;
}

/* The records come in blocks; each block starts with a section's name and a count. */
static int read_recs(struct reader *r, struct slice s)
{
	uint32_t size, name, n;
	uint64_t at = 4;

	if (!s.len)
		return 0;
	if (!slice_read_u32(s, 0, &size) || size < REC_SIZE)
		return gen_fail(r, ".BTF.ext", NULL, "CO-RE records of unknown size");
	r->cores = gen_alloc(r, s.len / REC_SIZE, sizeof(*r->cores));
	if (!r->cores)
		return -EINVAL;
	while (at < s.len) {
		const struct elf_sec *sec;
		const char *name_str;

		if (!slice_read_u32(s, at, &name) || !slice_read_u32(s, at + 4, &n) ||
		    !slice_has(s, at + 8, (uint64_t)n * size))
			return gen_fail(r, ".BTF.ext", NULL, "CO-RE records are cut off");
		name_str = slice_read_str(r->btf.strs, name);
		sec = name_str ? gen_elf_find_sec(&r->elf, name_str) : NULL;
		if (!sec)
			return gen_fail(r, ".BTF.ext", NULL, "names a section that does not exist");
		for (at += 8; n--; at += size)
			if (read_rec(r, s, at, sec))
				return -EINVAL;
	}
	qsort(r->cores, r->ncores, sizeof(*r->cores), compare_recs);
	return 0;
}

int gen_read_cores(struct reader *r)
{
	const struct elf_sec *sec = gen_elf_find_sec(&r->elf, ".BTF.ext");
	uint32_t head, off, len;
	uint16_t magic;
	struct slice s;

	if (!sec)
		return 0;
	s = sec->data;
	if (!slice_read_u16(s, 0, &magic) || magic != BTF_MAGIC || !slice_read_u32(s, 4, &head))
		return gen_fail(r, ".BTF.ext", NULL, "has no header");
	if (head < EXT_HEAD_MIN)
		return 0;
	if (!slice_read_u32(s, EXT_CORE_OFF, &off) || !slice_read_u32(s, EXT_CORE_OFF + 4, &len) ||
	    !slice_cut(s, (uint64_t)head + off, len, &s))
		return gen_fail(r, ".BTF.ext", NULL, "CO-RE records lie outside the section");
	return read_recs(r, s);
}

/* A walk along an access such as "0:1:2": the type reached so far, and its path by names. */
struct walk {
	struct reader *r;
	const struct func *f;
	const char *root; /* the name of the record's type */
	const char *access;
	uint32_t type;
	uint64_t bits; /* offset from the start of the root type */
	bool bitfield;
	char path[PATH_MAX_LEN];
	size_t len;
};

static int fail_walk(struct walk *w, const char *what)
{
	return gen_fail(w->r, w->r->elf.secs[w->f->sec].name, w->f->name, "CO-RE on '%s%s%s': %s",
			w->root, w->len ? "." : "", w->path, what);
}

/* Takes the next index of the access. 1 with *index, 0 at the end, or -EINVAL. */
static int next_index(struct walk *w, uint32_t *index)
{
	uint64_t n = 0;

	if (!*w->access)
		return 0;
	if (*w->access == ':')
		w->access++;
	if (*w->access < '0' || *w->access > '9')
		return fail_walk(w, "is malformed");
	for (; *w->access >= '0' && *w->access <= '9'; w->access++) {
		n = n * 10 + (*w->access - '0');
		if (n > INT32_MAX)
			return fail_walk(w, "is malformed");
	}
	if (*w->access && *w->access != ':')
		return fail_walk(w, "is malformed");
	*index = n;
	return 1;
}

__attribute__((format(printf, 2, 3))) static int append_path(struct walk *w, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(w->path + w->len, sizeof(w->path) - w->len, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(w->path) - w->len)
		return fail_walk(w, "is too long");
	w->len += n;
	return 0;
}

static int step_member(struct walk *w, const struct type *t, uint32_t index)
{
	struct member m;

	if (index >= t->vlen || !gen_btf_get_member(&w->r->btf, t, index, &m))
		return fail_walk(w, "has no such member");
	w->type = m.type;
	w->bits += m.bit_off;
	w->bitfield = m.bits || m.bit_off % 8;
	if (!*m.name)
		return 0;
	return append_path(w, "%s%s", w->len ? "." : "", m.name);
}

static int step_element(struct walk *w, const struct type *t, uint32_t index)
{
	uint32_t size, n;

	if (!gen_btf_get_word(t, 0, &w->type) || !gen_btf_get_word(t, 2, &n) ||
	    !gen_btf_get_size(&w->r->btf, w->type, &size))
		return fail_walk(w, "has an element without a size");
	/* A flexible array at the end of a struct has no number of elements. */
	if (n && index >= n)
		return fail_walk(w, "lies outside its array");
	w->bits += (uint64_t)index * size * 8;
	return append_path(w, "[%u]", index);
}

static int walk_members(struct walk *w)
{
	struct type t;
	uint32_t index;
	int err;

	err = next_index(w, &index);
	if (err < 0)
		return err;
	if (!err || index)
		return fail_walk(w, "does not start at the first element");
	for (int i = 0; (err = next_index(w, &index)) > 0; i++) {
		if (i == ACCESS_MAX || !gen_btf_resolve(&w->r->btf, w->type, &t))
			return fail_walk(w, "is too deep");
		if (t.kind == BTF_KIND_ARRAY)
			err = step_element(w, &t, index);
		else
			err = step_member(w, &t, index);
		if (err)
			return err;
	}
	return err;
}

static int walk_field(struct walk *w, struct spec_core *out, uint64_t *value)
{
	uint32_t size;

	if (walk_members(w))
		return -EINVAL;
	if (!w->len)
		return fail_walk(w, "names no member");
	if (out->kind == SPEC_FIELD_EXISTS) {
		*value = 1;
		return 0;
	}
	if (w->bitfield)
		return fail_walk(w, "bitfields are not supported");
	if (!gen_btf_get_size(&w->r->btf, w->type, &size))
		return fail_walk(w, "member has no size");
	if (out->kind == SPEC_FIELD_OFFSET && size > UINT16_MAX)
		return fail_walk(w, "member is too large");
	out->size = out->kind == SPEC_FIELD_OFFSET ? size : 0;
	*value = out->kind == SPEC_FIELD_OFFSET ? w->bits / 8 : size;
	return 0;
}

static int walk_type(struct walk *w, struct spec_core *out, uint64_t *value)
{
	uint32_t size;

	*value = 1;
	if (out->kind != SPEC_TYPE_SIZE)
		return 0;
	if (!gen_btf_get_size(&w->r->btf, w->type, &size))
		return fail_walk(w, "type has no size");
	*value = size;
	return 0;
}

static int walk_enum(struct walk *w, struct spec_core *out, uint64_t *value)
{
	uint32_t index, name, lo, hi = 0, words;
	struct type t;
	const char *s;

	if (next_index(w, &index) <= 0 || !gen_btf_resolve(&w->r->btf, w->type, &t) ||
	    (t.kind != BTF_KIND_ENUM && t.kind != BTF_KIND_ENUM64) || index >= t.vlen)
		return fail_walk(w, "names no enumerator");
	words = t.kind == BTF_KIND_ENUM ? 2 : 3;
	if (!gen_btf_get_word(&t, index * words, &name) ||
	    !gen_btf_get_word(&t, index * words + 1, &lo) ||
	    (words == 3 && !gen_btf_get_word(&t, index * words + 2, &hi)))
		return fail_walk(w, "names no enumerator");
	s = slice_read_str(w->r->btf.strs, name);
	*value = words == 3 ? (uint64_t)hi << 32 | lo : (uint64_t)(int32_t)lo;
	if (out->kind == SPEC_ENUM_EXISTS)
		*value = 1;
	return s && *s ? append_path(w, "%s", s) : fail_walk(w, "enumerator has no name");
}

/* By enum bpf_core_relo_kind. */
static const struct kind {
	const char *refusal;
	int (*walk)(struct walk *w, struct spec_core *out, uint64_t *value);
} kinds[] = {
	[SPEC_FIELD_OFFSET] = { .walk = walk_field },
	[SPEC_FIELD_SIZE] = { .walk = walk_field },
	[SPEC_FIELD_EXISTS] = { .walk = walk_field },
	[BPF_CORE_FIELD_SIGNED] = { .refusal = "signedness is not supported" },
	[BPF_CORE_FIELD_LSHIFT_U64] = { .refusal = "bitfields are not supported" },
	[BPF_CORE_FIELD_RSHIFT_U64] = { .refusal = "bitfields are not supported" },
	[BPF_CORE_TYPE_ID_LOCAL] = { .refusal = "type ids are not supported" },
	[BPF_CORE_TYPE_ID_TARGET] = { .refusal = "type ids are not supported" },
	[SPEC_TYPE_EXISTS] = { .walk = walk_type },
	[SPEC_TYPE_SIZE] = { .walk = walk_type },
	[SPEC_ENUM_EXISTS] = { .walk = walk_enum },
	[SPEC_ENUM_VALUE] = { .walk = walk_enum },
	[BPF_CORE_TYPE_MATCHES] = { .refusal = "type matches are not supported" },
};

/* Length of a type's name without its flavor: the suffix from the last "___" that has other
 * characters on both sides. */
static size_t get_base_name_len(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = len; i >= 5; i--) {
		const char *p = name + i - 5;

		if (p[0] != '_' && !memcmp(p + 1, "___", 3) && p[4] != '_')
			return i - 4;
	}
	return len;
}

/* Sets the name of the record's type, without qualifiers: that of a typedef or a struct. */
static int set_root_name(struct walk *w, struct spec_core *out)
{
	struct type t;
	uint32_t id = w->type;

	for (int i = 0; i < BTF_DEPTH_MAX && gen_btf_get_type(&w->r->btf, id, &t); i++) {
		if (t.kind != BTF_KIND_CONST && t.kind != BTF_KIND_VOLATILE &&
		    t.kind != BTF_KIND_RESTRICT && t.kind != BTF_KIND_TYPE_TAG)
			break;
		id = t.ref;
	}
	if (!*t.name)
		return fail_walk(w, "type has no name");
	out->type = gen_strndup(w->r, t.name, get_base_name_len(t.name));
	w->root = out->type;
	return out->type ? 0 : -EINVAL;
}

/* Checks that the number in the instruction, which obj will change, is the one that the types give:
 * otherwise one of the two was misread. */
static int check_insn(struct walk *w, const struct bpf_insn *insn, uint16_t kind, uint64_t value)
{
	int32_t number = insn->imm;

	switch (BPF_CLASS(insn->code)) {
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		if (kind != SPEC_FIELD_OFFSET || BPF_MODE(insn->code) != BPF_MEM)
			return fail_walk(w, "instruction cannot be changed");
		number = insn->off;
		break;
	case BPF_ALU:
	case BPF_ALU64:
		if (BPF_SRC(insn->code) != BPF_K ||
		    (BPF_OP(insn->code) != BPF_MOV && BPF_OP(insn->code) != BPF_ADD))
			return fail_walk(w, "instruction cannot be changed");
		break;
	case BPF_LD:
		if (insn->code != (BPF_LD | BPF_IMM | BPF_DW) || insn->src_reg)
			return fail_walk(w, "instruction cannot be changed");
		break;
	default:
		return fail_walk(w, "instruction cannot be changed");
	}
	if ((uint32_t)number != (uint32_t)value)
		return fail_walk(w, "instruction has another value than the types");
	return 0;
}

int gen_make_core(struct reader *r, const struct func *f, const struct core_rec *rec,
		  const struct bpf_insn *insn, struct spec_core *out)
{
	struct walk w = { .r = r, .f = f, .root = "?", .access = rec->access, .type = rec->type };
	uint64_t value;

	*out = (struct spec_core){ .insn = rec->insn, .kind = rec->kind };
	if (rec->kind >= ARRAY_LEN(kinds))
		return fail_walk(&w, "unknown kind");
	if (set_root_name(&w, out))
		return -EINVAL;
	if (!kinds[rec->kind].walk)
		return fail_walk(&w, kinds[rec->kind].refusal);
	if (kinds[rec->kind].walk(&w, out, &value) || check_insn(&w, insn, out->kind, value))
		return -EINVAL;
	out->path = gen_strdup(r, w.path);
	return out->path ? 0 : -EINVAL;
}
