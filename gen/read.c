// SPDX-License-Identifier: MIT
/* Reads an object step by step. */
#include <elf.h>

#include "base/array.h"
#include "gen/read.h"

static int read_license(struct reader *r)
{
	const struct elf_sec *sec = gen_elf_find_sec(&r->elf, "license");
	const char *s = sec ? slice_read_str(sec->data, 0) : NULL;

	if (!s || !*s)
		return gen_fail(r, "license", NULL, "is missing or not a string");
	r->out->spec.license = gen_strdup(r, s);
	return r->out->spec.license ? 0 : -EINVAL;
}

/* Returns true if BTF lists a variable or function of this name in a section. */
static bool is_listed(const struct reader *r, const char *sec, const char *name)
{
	struct type list, t;
	uint32_t id;

	if (!gen_btf_find_section(&r->btf, sec, &list))
		return false;
	for (uint32_t i = 0; i < list.vlen; i++)
		if (gen_btf_get_word(&list, i * 3, &id) && gen_btf_get_type(&r->btf, id, &t) &&
		    !strcmp(t.name, name))
			return true;
	return false;
}

static int refuse_undefined(struct reader *r)
{
	for (uint32_t i = 1; i < r->elf.nsyms; i++) {
		const struct elf_sym *sym = &r->elf.syms[i];

		if (sym->sec != SHN_UNDEF)
			continue;
		if (is_listed(r, ".ksyms", sym->name))
			return gen_fail(r, ".ksyms", sym->name,
					"kernel symbols and functions are not supported");
		if (is_listed(r, ".kconfig", sym->name))
			return gen_fail(r, ".kconfig", sym->name,
					"kernel configuration values are not supported");
		return gen_fail(r, NULL, sym->name, "is not defined in this object");
	}
	return 0;
}

/* Turns the map indices of relocations from r->maps to the spec, which has no unused maps. */
static int renumber_relocs(struct reader *r)
{
	const struct spec *spec = &r->out->spec;

	for (uint32_t i = 0; i < spec->nprogs; i++) {
		struct spec_reloc *relocs = (struct spec_reloc *)spec->progs[i].relocs;

		for (uint32_t k = 0; k < spec->progs[i].nrelocs; k++)
			relocs[k].map = r->maps[relocs[k].map].index;
	}
	return 0;
}

int gen_read(const uint8_t *elf, size_t len, const char *name, struct gen_obj *out, struct diag *d)
{
	/* Later steps rely on the checks of earlier ones. Reading the programs marks the used maps;
	 * only their types are kept, and only they get an index. */
	static int (*const steps[])(struct reader * r) = {
		gen_btf_open,    gen_check_sections, read_license,   refuse_undefined,
		gen_read_maps,   gen_read_data,      gen_read_conf,  gen_read_cores,
		gen_read_funcs,  gen_read_progs,     gen_reduce_btf, gen_list_maps,
		renumber_relocs,
	};
	struct gen_obj obj = { 0 };
	struct reader r = { .name = name, .out = &obj, .d = d };
	int err;

	d->msg[0] = 0;
	if (!gen_is_ident(name) || strlen(name) > SLICE_STR_MAX)
		err = gen_fail(&r, NULL, NULL, "the object's name is not a C identifier");
	else
		err = gen_elf_open(&r, (struct slice){ .at = elf, .len = len });
	for (size_t i = 0; !err && i < ARRAY_LEN(steps); i++)
		err = steps[i](&r);
	obj.big = r.elf.big;
	obj.spec.name = err ? NULL : gen_strdup(&r, name);
	if (!obj.spec.name) {
		gen_obj_close(&obj);
		return -EINVAL;
	}
	*out = obj;
	return 0;
}

void gen_obj_close(struct gen_obj *obj)
{
	gen_mem_close(&obj->mem);
	*obj = (struct gen_obj){ 0 };
}
