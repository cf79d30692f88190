// SPDX-License-Identifier: MIT
/* Functions of the executable sections, and which of them are programs. */
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
				"name has other characters than A-Za-z0-9_");
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
					"function lies over another");
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

static int read_prog(struct reader *r, const struct func *f, const struct prog_row *row,
		     const char *target, struct spec_prog *prog, struct gen_layout *layout)
{
	const char *sec = r->elf.secs[f->sec].name;

	if (f->local)
		return gen_fail(r, sec, f->name, "is a static function in a section of programs");
	if (strlen(f->name) > NAME_MAX_LEN)
		return gen_fail(r, sec, f->name, "name has more than %d characters", NAME_MAX_LEN);
	memcpy(prog->name, f->name, strlen(f->name));
	prog->type = row->type;
	prog->attach_type = row->attach_type;
	prog->returns = !strncmp(row->name + 1, "retprobe/", strlen("retprobe/"));
	prog->target = target ? gen_strdup(r, target) : NULL;
	if (target && !prog->target)
		return -EINVAL;
	return gen_link_prog(r, f, prog, layout);
}

static int check_names(struct reader *r)
{
	const struct spec *spec = &r->out->spec;

	for (uint32_t i = 0; i < spec->nprogs; i++)
		for (uint32_t k = 0; k < i; k++)
			if (gen_same_label(spec->progs[i].name, spec->progs[k].name))
				return gen_fail(r, NULL, spec->progs[i].name,
						"two programs have names too alike");
	return 0;
}

int gen_read_progs(struct reader *r)
{
	struct spec_prog *progs = gen_alloc(r, PROGS_MAX, sizeof(*progs));
	struct gen_layout *layouts = gen_alloc(r, PROGS_MAX, sizeof(*layouts));
	uint32_t n = 0;

	if (!progs || !layouts)
		return -EINVAL;
	for (uint32_t i = 0; i < r->nfuncs; i++) {
		const struct func *f = &r->funcs[i];
		const struct prog_row *row;
		const char *target;

		row = gen_find_prog_row(r->elf.secs[f->sec].name, &target);
		if (!row)
			continue;
		if (n == PROGS_MAX)
			return gen_fail(r, NULL, f->name, "too many programs");
		if (read_prog(r, f, row, target, &progs[n], &layouts[n]))
			return -EINVAL;
		n++;
	}
	if (!n)
		return gen_fail(r, NULL, NULL, "has no programs");
	r->out->spec.progs = progs;
	r->out->spec.nprogs = n;
	r->out->spec.ninsns = r->ninsns;
	r->out->layouts = layouts;
	return check_names(r);
}
