// SPDX-License-Identifier: MIT
/* Reads global data as maps with one entry, and finds the variable `conf` in it. */
#include <elf.h>
#include <stdio.h>

#include "gen/read.h"

/* Object "gate", section ".rodata.str1.1": map "gate.rodata.str", label rodata_str1_1. */
static int make_names(struct reader *r, const struct elf_sec *sec, struct map *m)
{
	char name[2 * SLICE_STR_MAX];
	char *label = gen_strdup(r, sec->name + 1);

	if (!label)
		return -EINVAL;
	for (char *p = label; *p; p++)
		if (*p == '.')
			*p = '_';
	if (!gen_is_ident(label))
		return gen_fail(r, sec->name, NULL, "name has characters other than A-Za-z0-9_.");
	m->label = label;
	snprintf(name, sizeof(name), "%s%s", r->name, sec->name);
	memcpy(m->spec.name, name, strnlen(name, NAME_MAX_LEN));
	return 0;
}

static int make_image(struct reader *r, const struct elf_sec *sec, struct map *m)
{
	uint8_t *image;

	if (sec->type == SHT_NOBITS)
		return 0;
	image = gen_alloc(r, sec->data.len, 1);
	if (!image)
		return -EINVAL;
	memcpy(image, sec->data.at, sec->data.len);
	m->spec.image = image;
	return 0;
}

static int read_section(struct reader *r, const struct elf_sec *sec)
{
	bool constant = gen_is_section_kind(sec->name, ".rodata");
	struct map *m = &r->maps[r->nmaps];

	if (r->nmaps == MAPS_MAX)
		return gen_fail(r, sec->name, NULL, "too many maps");
	m->sec = elf_section_index(&r->elf, sec);
	m->spec.type = BPF_MAP_TYPE_ARRAY;
	m->spec.key_size = sizeof(uint32_t);
	m->spec.value_size = sec->size;
	m->spec.max_entries = 1;
	m->spec.flags = constant ? BPF_F_RDONLY_PROG : 0;
	m->spec.frozen = constant;
	m->spec.global = true;
	if (make_names(r, sec, m) || make_image(r, sec, m))
		return -EINVAL;
	r->nmaps++;
	return 0;
}

/* Returns the name of the variable at off, for an error message; NULL: none. */
static const char *find_variable(const struct reader *r, uint32_t sec, uint64_t off)
{
	for (uint32_t i = 0; i < r->elf.nsyms; i++) {
		const struct elf_sym *s = &r->elf.syms[i];

		if (s->type == STT_OBJECT && s->sec == sec && off >= s->value &&
		    off - s->value < s->size)
			return s->name;
	}
	return NULL;
}

static int refuse_pointers(struct reader *r)
{
	for (uint32_t i = 0; i < r->elf.nrels; i++) {
		const struct elf_rel *rel = &r->elf.rels[i];
		const struct elf_sec *sec = &r->elf.secs[rel->sec];

		if (sec->flags & SHF_EXECINSTR)
			continue;
		return gen_fail(r, sec->name, find_variable(r, rel->sec, rel->off),
				"holds a pointer to '%s': pointers in data are not supported",
				r->elf.syms[rel->sym].name);
	}
	return 0;
}

int gen_read_data(struct reader *r)
{
	if (refuse_pointers(r))
		return -EINVAL;
	for (uint32_t i = 0; i < r->elf.nsecs; i++) {
		const struct elf_sec *sec = &r->elf.secs[i];

		if (!(sec->flags & SHF_ALLOC) || sec->flags & SHF_EXECINSTR || !sec->size ||
		    !strcmp(sec->name, ".maps") || !strcmp(sec->name, "license"))
			continue;
		if (read_section(r, sec))
			return -EINVAL;
	}
	return 0;
}

/* Finds the variable `conf` and the section that has it. */
static bool find_conf(const struct reader *r, struct type *sec, struct type *var)
{
	for (uint32_t id = 1; id < r->btf.n; id++) {
		if (!gen_btf_get_type(&r->btf, id, sec) || sec->kind != BTF_KIND_DATASEC)
			continue;
		for (uint32_t i = 0; i < sec->vlen; i++)
			if (gen_btf_get_var(&r->btf, sec, i, var) && !strcmp(var->name, "conf"))
				return true;
	}
	return false;
}

int gen_read_conf(struct reader *r)
{
	struct type list, var, type;
	const struct elf_sec *sec;
	const struct elf_sym *sym;
	char expected[SLICE_STR_MAX + 8];
	uint32_t size;

	if (!find_conf(r, &list, &var))
		return 0;
	snprintf(expected, sizeof(expected), "%s_conf", r->name);
	sec = gen_elf_find_sec(&r->elf, ".rodata");
	sym = sec ? gen_elf_find_sym(&r->elf, sec, "conf") : NULL;
	if (!sym || strcmp(list.name, ".rodata"))
		return gen_fail(r, list.name, "conf", "must be 'const volatile struct %s'",
				expected);
	if (!gen_btf_resolve(&r->btf, var.ref, &type) || type.kind != BTF_KIND_STRUCT ||
	    strcmp(type.name, expected) || !gen_btf_get_size(&r->btf, type.id, &size))
		return gen_fail(r, ".rodata", "conf", "is not a 'struct %s'", expected);
	r->conf = gen_find_map(r, sym->sec, sym->value);
	if (!r->conf || !r->conf->spec.global || !size || !slice_has(sec->data, sym->value, size) ||
	    sym->size != size)
		return gen_fail(r, ".rodata", "conf", "does not lie within its section");
	r->conf->used = true;
	r->out->spec.conf_off = sym->value;
	r->out->spec.conf_len = size;
	return 0;
}
