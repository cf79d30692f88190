// SPDX-License-Identifier: MIT
/* Reduces an object's BTF to the types of its maps' keys and values, in kinds that 5.10 accepts. */
#include "base/array.h"
#include "gen/read.h"

enum {
	HEAD_SIZE = 24, /* struct btf_header */
	TYPE_SIZE = 12, /* struct btf_type */
	STRS_MAX = 1 << 20,
};

/* The words of a type by kind: ref is the word after info, tail the words after it, repeated. 'n':
 * a name, 't': a type, 'v': a type that becomes void, '#': a number. Kinds without a row are left
 * out. Pointers become void *: what they point to is not in the map. */
static const struct {
	char ref;
	const char *tail;
} forms[] = {
	[BTF_KIND_INT] = { '#', "#" },     [BTF_KIND_PTR] = { 'v', "" },
	[BTF_KIND_ARRAY] = { '#', "tt#" }, [BTF_KIND_STRUCT] = { '#', "nt#" },
	[BTF_KIND_UNION] = { '#', "nt#" }, [BTF_KIND_ENUM] = { '#', "n#" },
	[BTF_KIND_TYPEDEF] = { 't', "" },  [BTF_KIND_VOLATILE] = { 't', "" },
	[BTF_KIND_CONST] = { 't', "" },    [BTF_KIND_RESTRICT] = { 't', "" },
};

enum pass { COLLECT, NAME, WRITE };

struct reduction {
	struct reader *r;
	enum pass pass;
	uint32_t *order; /* old ids by new id - 1 */
	uint32_t *ids;   /* new ids by old id, 0 for none */
	uint32_t n;
	uint32_t *strs; /* new offsets by old offset, 0 for none yet */
	uint32_t strs_len;
	uint8_t *out;
	uint32_t len;
};

static void put_number(struct reduction *red, uint32_t v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		red->out[red->len++] = v >> 8 * (red->r->elf.big ? n - 1 - i : i);
}

static bool add_type(struct reduction *red, uint32_t old, uint32_t *id)
{
	struct type t;

	for (int i = 0; i < BTF_DEPTH_MAX; i++) {
		if (!gen_btf_get_type(&red->r->btf, old, &t))
			return false;
		if (t.kind != BTF_KIND_TYPE_TAG)
			break;
		old = t.ref;
	}
	if (!t.kind) {
		*id = 0;
		return true;
	}
	if (t.kind >= ARRAY_LEN(forms) || !forms[t.kind].ref)
		return false;
	if (!red->ids[old]) {
		red->order[red->n++] = old;
		red->ids[old] = red->n;
	}
	*id = red->ids[old];
	return true;
}

static bool add_name(struct reduction *red, uint32_t old, uint32_t *off)
{
	const char *s = slice_read_str(red->r->btf.strs, old);

	if (!s)
		return false;
	if (*s && !red->strs[old]) {
		size_t len = strlen(s) + 1;

		if (len > STRS_MAX - red->strs_len)
			return false;
		red->strs[old] = red->strs_len;
		red->strs_len += len;
	}
	*off = *s ? red->strs[old] : 0;
	return true;
}

static bool visit_word(struct reduction *red, char form, uint32_t v)
{
	if (form == 'v')
		v = 0;
	if (form == 't' && !add_type(red, v, &v))
		return false;
	if (form == 'n' && red->pass != COLLECT && !add_name(red, v, &v))
		return false;
	if (red->pass == WRITE)
		put_number(red, v, 4);
	return true;
}

/* One pass over a type's words. */
static bool visit_type(struct reduction *red, uint32_t old)
{
	uint32_t kflag, word;
	const char *tail, *p;
	struct type t;

	if (!gen_btf_get_type(&red->r->btf, old, &t))
		return false;
	/* 5.10 does not accept the flag for signed enums. */
	kflag = t.kflag && t.kind != BTF_KIND_ENUM;
	if (!visit_word(red, 'n', t.name_off) ||
	    !visit_word(red, '#', kflag << 31 | t.kind << 24 | t.vlen) ||
	    !visit_word(red, forms[t.kind].ref, t.ref))
		return false;
	p = tail = forms[t.kind].tail;
	for (uint32_t i = 0; gen_btf_get_word(&t, i, &word); i++) {
		if (!visit_word(red, *p, word))
			return false;
		if (!*++p)
			p = tail;
	}
	return true;
}

/* Collects all types of a map. If one has an unsupported kind, none of them is kept. */
static bool collect_map(struct reduction *red, struct map *m)
{
	uint32_t before = red->n, key, value;
	bool ok = add_type(red, m->key_id, &key) && add_type(red, m->value_id, &value);

	for (uint32_t i = before; ok && i < red->n; i++)
		ok = visit_type(red, red->order[i]);
	m->spec.key_type = ok ? key : 0;
	m->spec.value_type = ok ? value : 0;
	while (!ok && red->n > before)
		red->ids[red->order[--red->n]] = 0;
	return ok;
}

static int collect_names(struct reduction *red, uint32_t *types_len)
{
	red->pass = NAME;
	red->strs_len = 1;
	*types_len = 0;
	for (uint32_t i = 0; i < red->n; i++) {
		struct type t;

		if (!visit_type(red, red->order[i]) ||
		    !gen_btf_get_type(&red->r->btf, red->order[i], &t))
			return gen_fail(red->r, ".BTF", NULL, "names of map types are malformed");
		*types_len += TYPE_SIZE + t.tail.len;
	}
	return 0;
}

static int write_types(struct reduction *red, uint32_t types_len)
{
	const struct slice strs = red->r->btf.strs;

	red->pass = WRITE;
	red->out = gen_alloc(red->r, (size_t)HEAD_SIZE + types_len + red->strs_len, 1);
	if (!red->out)
		return -EINVAL;
	put_number(red, BTF_MAGIC, 2);
	put_number(red, BTF_VERSION, 1);
	put_number(red, 0, 1);
	put_number(red, HEAD_SIZE, 4);
	put_number(red, 0, 4);
	put_number(red, types_len, 4);
	put_number(red, types_len, 4);
	put_number(red, red->strs_len, 4);
	for (uint32_t i = 0; i < red->n; i++)
		visit_type(red, red->order[i]);
	for (size_t old = 0; old < strs.len; old++)
		if (red->strs[old])
			strcpy((char *)red->out + red->len + red->strs[old],
			       slice_read_str(strs, old));
	red->len += red->strs_len;
	return 0;
}

int gen_reduce_btf(struct reader *r)
{
	struct reduction red = { .r = r };
	uint32_t types_len;

	red.order = gen_alloc(r, r->btf.n, sizeof(*red.order));
	red.ids = gen_alloc(r, r->btf.n, sizeof(*red.ids));
	red.strs = gen_alloc(r, r->btf.strs.len, sizeof(*red.strs));
	if (!red.order || !red.ids || !red.strs)
		return -EINVAL;
	for (uint32_t i = 0; i < r->nmaps; i++)
		if (r->maps[i].used && r->maps[i].key_id && r->maps[i].value_id)
			collect_map(&red, &r->maps[i]);
	if (!red.n)
		return 0;
	if (collect_names(&red, &types_len) || write_types(&red, types_len))
		return -EINVAL;
	r->out->spec.btf = red.out;
	r->out->spec.btf_len = red.len;
	return 0;
}
