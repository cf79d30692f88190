// SPDX-License-Identifier: MIT
/* Reads the maps that .maps declares from BTF, checks them by type, and lists them in the spec. */
#include <stdlib.h>

#include "base/array.h"
#include "gen/read.h"

/* Requirements of a map type. */
enum {
	KEY_NONE = 1 << 0,
	VALUE_NONE = 1 << 1,
	KEY_4 = 1 << 2,
	VALUE_4 = 1 << 3,
	SIZES_OPTIONAL = 1 << 4, /* key and value default to 4 bytes */
	ENTRIES_ANY = 1 << 5,    /* 0 entries: the kernel or the loader sets the number */
	ENTRIES_NONE = 1 << 6,
	ENTRIES_RING = 1 << 7, /* a power of two, and at least a page on every architecture */
	NO_PREALLOC = 1 << 8,
	NO_BTF = 1 << 9, /* the kernel refuses the map with key and value types */
	REFUSED = 1 << 10,
};

enum { PAGE_SIZE_MAX = 65536 }; /* the largest page: arm64 kernels may have it */

enum {
	FD_MAP = KEY_4 | VALUE_4 | SIZES_OPTIONAL | NO_BTF,
	STORAGE_MAP = KEY_4 | ENTRIES_NONE | NO_PREALLOC
};

static const uint16_t rules[] = {
	[BPF_MAP_TYPE_ARRAY] = KEY_4,
	[BPF_MAP_TYPE_PERCPU_ARRAY] = KEY_4,
	[BPF_MAP_TYPE_PROG_ARRAY] = FD_MAP,
	[BPF_MAP_TYPE_PERF_EVENT_ARRAY] = FD_MAP | ENTRIES_ANY,
	[BPF_MAP_TYPE_CGROUP_ARRAY] = FD_MAP,
	[BPF_MAP_TYPE_STACK_TRACE] = KEY_4 | NO_BTF,
	[BPF_MAP_TYPE_LPM_TRIE] = NO_PREALLOC,
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = REFUSED,
	[BPF_MAP_TYPE_HASH_OF_MAPS] = REFUSED,
	[BPF_MAP_TYPE_DEVMAP] = KEY_4 | NO_BTF,
	[BPF_MAP_TYPE_DEVMAP_HASH] = KEY_4 | NO_BTF,
	[BPF_MAP_TYPE_CPUMAP] = KEY_4 | NO_BTF,
	[BPF_MAP_TYPE_XSKMAP] = KEY_4 | VALUE_4 | NO_BTF,
	[BPF_MAP_TYPE_SOCKMAP] = KEY_4 | NO_BTF,
	[BPF_MAP_TYPE_SOCKHASH] = NO_BTF,
	[BPF_MAP_TYPE_QUEUE] = KEY_NONE | NO_BTF,
	[BPF_MAP_TYPE_STACK] = KEY_NONE | NO_BTF,
	[BPF_MAP_TYPE_SK_STORAGE] = STORAGE_MAP,
	[BPF_MAP_TYPE_STRUCT_OPS] = REFUSED,
	[BPF_MAP_TYPE_RINGBUF] = KEY_NONE | VALUE_NONE | ENTRIES_RING | NO_BTF,
	[BPF_MAP_TYPE_USER_RINGBUF] = KEY_NONE | VALUE_NONE | ENTRIES_RING | NO_BTF,
	[BPF_MAP_TYPE_INODE_STORAGE] = STORAGE_MAP,
	[BPF_MAP_TYPE_TASK_STORAGE] = STORAGE_MAP,
	[32] = STORAGE_MAP, /* BPF_MAP_TYPE_CGRP_STORAGE, missing in linux/bpf.h of 6.1 */
	[BPF_MAP_TYPE_BLOOM_FILTER] = KEY_NONE | NO_BTF,
};

static uint32_t get_rule(const struct map *m)
{
	return m->spec.type < ARRAY_LEN(rules) ? rules[m->spec.type] : 0;
}

/* Members of a declaration. Of those that are types the id is stored; set_size() uses it. */
static const struct {
	const char *name;
	bool is_type;
	size_t off;
} members[] = {
	{ "type", false, offsetof(struct map, spec.type) },
	{ "key_size", false, offsetof(struct map, spec.key_size) },
	{ "value_size", false, offsetof(struct map, spec.value_size) },
	{ "max_entries", false, offsetof(struct map, spec.max_entries) },
	{ "map_flags", false, offsetof(struct map, spec.flags) },
	{ "key", true, offsetof(struct map, key_id) },
	{ "value", true, offsetof(struct map, value_id) },
};

static int read_member(struct reader *r, struct map *m, const struct member *member)
{
	struct type ptr, to;
	uint32_t *into = NULL;
	bool is_type = false;

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (strcmp(member->name, members[i].name))
			continue;
		into = (uint32_t *)((char *)m + members[i].off);
		is_type = members[i].is_type;
	}
	if (!into)
		return gen_fail(r, ".maps", m->label, "unknown member '%s'", member->name);
	if (!gen_btf_resolve(&r->btf, member->type, &ptr) || ptr.kind != BTF_KIND_PTR)
		return gen_fail(r, ".maps", m->label, "member '%s' is not a pointer", member->name);
	if (is_type) {
		*into = ptr.ref;
		return 0;
	}
	if (!gen_btf_resolve(&r->btf, ptr.ref, &to) || to.kind != BTF_KIND_ARRAY ||
	    !gen_btf_get_word(&to, 2, into))
		return gen_fail(r, ".maps", m->label, "member '%s' is not a number", member->name);
	return 0;
}

/* Sets a size from a type. If it is given as a number, too, both must agree. */
static int set_size(struct reader *r, const struct map *m, const char *what, uint32_t id,
		    uint32_t *size)
{
	uint32_t n;

	if (!id)
		return 0;
	if (!gen_btf_get_size(&r->btf, id, &n) || !n)
		return gen_fail(r, ".maps", m->label, "its %s has no size", what);
	if (*size && *size != n)
		return gen_fail(r, ".maps", m->label, "its %s has %u bytes, not %u", what, n,
				*size);
	*size = n;
	return 0;
}

static bool is_ring(uint32_t n)
{
	return n >= PAGE_SIZE_MAX && !(n & (n - 1));
}

static int check_size(struct reader *r, const struct map *m, const char *what, uint32_t size,
		      bool none, bool four)
{
	if (none && size)
		return gen_fail(r, ".maps", m->label, "this type of map has no %s", what);
	if (!none && !size)
		return gen_fail(r, ".maps", m->label, "has no %s", what);
	if (four && size != 4)
		return gen_fail(r, ".maps", m->label, "its %s must have 4 bytes", what);
	return 0;
}

static int check_map(struct reader *r, struct map *m)
{
	uint32_t rule = get_rule(m);
	struct spec_map *s = &m->spec;

	if (!s->type)
		return gen_fail(r, ".maps", m->label, "has no type");
	if (rule & REFUSED)
		return gen_fail(r, ".maps", m->label, "maps of type %u are not supported", s->type);
	if (rule & SIZES_OPTIONAL && !s->key_size)
		s->key_size = 4;
	if (rule & SIZES_OPTIONAL && !s->value_size)
		s->value_size = 4;
	if (check_size(r, m, "key", s->key_size, rule & KEY_NONE, rule & KEY_4) ||
	    check_size(r, m, "value", s->value_size, rule & VALUE_NONE, rule & VALUE_4))
		return -EINVAL;
	if (rule & ENTRIES_NONE && s->max_entries)
		return gen_fail(r, ".maps", m->label, "this type of map has no max_entries");
	if (!(rule & (ENTRIES_NONE | ENTRIES_ANY)) && !s->max_entries)
		return gen_fail(r, ".maps", m->label, "has no max_entries");
	if (rule & ENTRIES_RING && !is_ring(s->max_entries))
		return gen_fail(r, ".maps", m->label,
				"its max_entries must be a power of two, at least %d",
				PAGE_SIZE_MAX);
	if (rule & NO_PREALLOC && !(s->flags & BPF_F_NO_PREALLOC))
		return gen_fail(r, ".maps", m->label, "needs BPF_F_NO_PREALLOC");
	if (rule & NO_BTF || !m->key_id || !m->value_id)
		m->key_id = m->value_id = 0;
	return 0;
}

static int check_name(struct reader *r, const char *name)
{
	if (strlen(name) > NAME_MAX_LEN)
		return gen_fail(r, ".maps", name, "name has more than %d characters", NAME_MAX_LEN);
	if (!gen_is_ident(name))
		return gen_fail(r, ".maps", name, "name has characters other than A-Za-z0-9_");
	return 0;
}

static int read_map(struct reader *r, const struct elf_sec *sec, const struct type *var,
		    struct map *m)
{
	const struct elf_sym *sym = gen_elf_find_sym(&r->elf, sec, var->name);
	struct member member;
	struct type decl;

	if (check_name(r, var->name))
		return -EINVAL;
	if (!sym)
		return gen_fail(r, ".maps", var->name, "is not in the symbol table");
	if (!gen_btf_resolve(&r->btf, var->ref, &decl) || decl.kind != BTF_KIND_STRUCT)
		return gen_fail(r, ".maps", var->name, "is not a struct");
	m->label = gen_strdup(r, var->name);
	if (!m->label)
		return -EINVAL;
	memcpy(m->spec.name, m->label, strlen(m->label));
	m->sec = sym->sec;
	m->off = sym->value;
	for (uint32_t i = 0; i < decl.vlen; i++) {
		if (!gen_btf_get_member(&r->btf, &decl, i, &member))
			return gen_fail(r, ".maps", m->label, "member %u is malformed", i);
		if (read_member(r, m, &member))
			return -EINVAL;
	}
	if (set_size(r, m, "key", m->key_id, &m->spec.key_size) ||
	    set_size(r, m, "value", m->value_id, &m->spec.value_size))
		return -EINVAL;
	return check_map(r, m);
}

static int compare_maps(const void *a, const void *b)
{
	const struct map *x = a, *y = b;

	return (x->off > y->off) - (x->off < y->off);
}

int gen_read_maps(struct reader *r)
{
	const struct elf_sec *sec = gen_elf_find_sec(&r->elf, ".maps");
	struct type list, var;

	r->maps = gen_alloc(r, MAPS_MAX, sizeof(*r->maps));
	if (!r->maps)
		return -EINVAL;
	if (!sec || !sec->size)
		return 0;
	if (!gen_btf_find_section(&r->btf, ".maps", &list))
		return gen_fail(r, ".maps", NULL, "has no types: compile with -g");
	if (list.vlen > MAPS_MAX)
		return gen_fail(r, ".maps", NULL, "too many maps: %u", list.vlen);
	for (uint32_t i = 0; i < list.vlen; i++) {
		if (!gen_btf_get_var(&r->btf, &list, i, &var))
			return gen_fail(r, ".maps", NULL, "variable %u is malformed", i);
		if (read_map(r, sec, &var, &r->maps[r->nmaps]))
			return -EINVAL;
		r->nmaps++;
	}
	qsort(r->maps, r->nmaps, sizeof(*r->maps), compare_maps);
	return 0;
}

struct map *gen_find_map(struct reader *r, uint32_t sec, uint64_t off)
{
	for (uint32_t i = 0; i < r->nmaps; i++) {
		struct map *m = &r->maps[i];

		if (m->sec == sec && (m->spec.global ? off < m->spec.value_size : off == m->off))
			return m;
	}
	return NULL;
}

/* Lists the used maps in the spec, in the order in which they were read. */
int gen_list_maps(struct reader *r)
{
	struct spec *spec = &r->out->spec;
	struct spec_map *maps = gen_alloc(r, r->nmaps, sizeof(*maps));
	const char **labels = gen_alloc(r, r->nmaps, sizeof(*labels));

	if (!maps || !labels)
		return -EINVAL;
	for (uint32_t i = 0; i < r->nmaps; i++) {
		struct map *m = &r->maps[i];

		for (uint32_t k = 0; k < i; k++)
			if (gen_same_label(m->label, r->maps[k].label))
				return gen_fail(
					r, NULL, m->label,
					"two maps have names that are the same in upper case");
		if (!m->used)
			continue;
		m->index = spec->nmaps++;
		maps[m->index] = m->spec;
		labels[m->index] = m->label;
	}
	spec->maps = maps;
	spec->conf_map = r->conf ? r->conf->index : spec->nmaps;
	r->out->map_labels = labels;
	return 0;
}
