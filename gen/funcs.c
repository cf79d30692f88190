// SPDX-License-Identifier: MIT
/* The functions of an object's executable sections. */
#include <elf.h>
#include <stdlib.h>

#include "gen/read.h"

static int compare_funcs(const void *a, const void *b)
{
	const struct func *x = a, *y = b;

	if (x->sec != y->sec)
		return x->sec < y->sec ? -1 : 1;
	return (x->start > y->start) - (x->start < y->start);
}

static int read_func(struct reader *r, const struct elf_sym *sym)
{
	const struct elf_sec *sec = &r->elf.secs[sym->sec];
	struct func *f = &r->funcs[r->nfuncs++];

	if (!(sec->flags & SHF_EXECINSTR) || !(sec->flags & SHF_ALLOC))
		return gen_fail(r, sec->name, sym->name, "is a function in a section without code");
	if (!gen_is_ident(sym->name))
		return gen_fail(r, sec->name, sym->name,
				"name has characters other than A-Za-z0-9_");
	if (!sym->size || sym->size % INSN_SIZE || sym->value % INSN_SIZE ||
	    !slice_has(sec->data, sym->value, sym->size))
		return gen_fail(r, sec->name, sym->name, "function lies outside its section");
	f->name = sym->name;
	f->sec = sym->sec;
	f->start = sym->value / INSN_SIZE;
	f->len = sym->size / INSN_SIZE;
	f->local = sym->bind == STB_LOCAL;
	return 0;
}

int gen_read_funcs(struct reader *r)
{
	const struct elf *elf = &r->elf;

	r->funcs = gen_alloc(r, elf->nsyms, sizeof(*r->funcs));
	if (!r->funcs)
		return -EINVAL;
	for (uint32_t i = 0; i < elf->nsyms; i++) {
		if (elf->syms[i].type != STT_FUNC)
			continue;
		if (elf->syms[i].sec >= elf->nsecs)
			return gen_fail(r, NULL, elf->syms[i].name,
					"is a function without a section");
		if (read_func(r, &elf->syms[i]))
			return -EINVAL;
	}
	qsort(r->funcs, r->nfuncs, sizeof(*r->funcs), compare_funcs);
	for (uint32_t i = 1; i < r->nfuncs; i++) {
		const struct func *a = &r->funcs[i - 1], *b = &r->funcs[i];

		if (a->sec == b->sec && b->start < a->start + a->len)
			return gen_fail(r, elf->secs[b->sec].name, b->name,
					"function overlaps another one");
	}
	return 0;
}

const struct func *gen_find_func(const struct reader *r, uint32_t sec, uint64_t start)
{
	uint32_t lo = 0, hi = r->nfuncs;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct func *f = &r->funcs[mid];

		if (f->sec == sec && f->start == start)
			return f;
		if (f->sec < sec || (f->sec == sec && f->start < start))
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}
