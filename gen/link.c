// SPDX-License-Identifier: MIT
/* Lays every subprogram that a program reaches behind it, and resolves its relocations. */
#include <elf.h>
#include <string.h>

#include "gen/read.h"

enum {
	R_MAP = 1,   /* R_BPF_64_64 */
	R_CALL = 10, /* R_BPF_64_32 */
	CODE_WIDE = BPF_LD | BPF_IMM | BPF_DW,
	CODE_CALL = BPF_JMP | BPF_CALL,
	CODE_CALLX = BPF_JMP | BPF_CALL | BPF_X,
};

struct linker {
	struct reader *r;
	const struct func **funcs; /* in their new order */
	struct gen_func *places;
	uint32_t *place_of; /* by index in r->funcs: the new place + 1, 0 for none */
	uint32_t nfuncs, ninsns;
	const struct func *stub;
	struct bpf_insn *insns;
	struct spec_reloc *relocs;
	struct spec_core *cores;
	uint32_t nrelocs, ncores;
};

/* A walk over a function's instructions with what is recorded for each. */
struct step {
	const struct func *f;
	uint32_t next;             /* index in the function */
	uint32_t at;               /* of the instruction now looked at */
	struct bpf_insn insn[2];   /* the second half is valid for CODE_WIDE */
	const struct elf_rel *rel; /* that stands at it, or NULL */
	const struct core_rec *core;
	uint32_t rels, cores; /* the next of the reader's */
};

static int refuse(struct linker *l, const struct step *s, const char *what)
{
	return gen_fail(l->r, l->r->elf.secs[s->f->sec].name, s->f->name, "instruction %u: %s",
			s->at, what);
}

/* The first relocation and the first CO-RE record of a function or behind it. */
static struct step steps_of(const struct reader *r, const struct func *f)
{
	struct step s = { .f = f };
	uint32_t hi;

	for (hi = r->elf.nrels; s.rels < hi;) {
		uint32_t mid = s.rels + (hi - s.rels) / 2;
		const struct elf_rel *rel = &r->elf.rels[mid];

		if (rel->sec < f->sec ||
		    (rel->sec == f->sec && rel->off < (uint64_t)f->start * INSN_SIZE))
			s.rels = mid + 1;
		else
			hi = mid;
	}
	for (hi = r->ncores; s.cores < hi;) {
		uint32_t mid = s.cores + (hi - s.cores) / 2;
		const struct core_rec *core = &r->cores[mid];

		if (core->sec < f->sec || (core->sec == f->sec && core->insn < f->start))
			s.cores = mid + 1;
		else
			hi = mid;
	}
	return s;
}

static void insn_read(const struct reader *r, const struct func *f, uint32_t i,
		      struct bpf_insn *insn)
{
	struct slice s = r->elf.secs[f->sec].data;
	uint64_t at = (uint64_t)(f->start + i) * INSN_SIZE, code = 0, regs = 0;
	uint16_t off = 0;
	uint32_t imm = 0;

	slice_num(s, at, 1, &code);
	slice_num(s, at + 1, 1, &regs);
	slice_u16(s, at + 2, &off);
	slice_u32(s, at + 4, &imm);
	insn->code = code;
	insn->dst_reg = s.big ? regs >> 4 : regs & 15;
	insn->src_reg = s.big ? regs & 15 : regs >> 4;
	insn->off = (int16_t)off;
	insn->imm = (int32_t)imm;
}

/* Take the record that stands at this instruction; one that stands at none is a mistake. */
static int records_take(struct linker *l, struct step *s, uint32_t width)
{
	const struct reader *r = l->r;
	uint64_t begin = (uint64_t)(s->f->start + s->at) * INSN_SIZE;
	uint64_t end = begin + (uint64_t)width * INSN_SIZE;

	s->rel = NULL;
	s->core = NULL;
	for (; s->rels < r->elf.nrels; s->rels++) {
		const struct elf_rel *rel = &r->elf.rels[s->rels];

		if (rel->sec != s->f->sec || rel->off >= end)
			break;
		if (s->rel || rel->off != begin)
			return refuse(l, s, "has a stray relocation");
		s->rel = rel;
	}
	for (; s->cores < r->ncores; s->cores++) {
		const struct core_rec *core = &r->cores[s->cores];

		if (core->sec != s->f->sec || (uint64_t)core->insn * INSN_SIZE >= end)
			break;
		if (s->core || s->rel || (uint64_t)core->insn * INSN_SIZE != begin)
			return refuse(l, s, "has a stray CO-RE record");
		s->core = core;
	}
	return 0;
}

/* 1 with an instruction, 0 behind the last. */
static int step_next(struct linker *l, struct step *s)
{
	uint32_t width = 1;

	if (s->next == s->f->len)
		return 0;
	s->at = s->next;
	insn_read(l->r, s->f, s->at, &s->insn[0]);
	if (s->insn[0].code == CODE_WIDE) {
		width = 2;
		if (s->f->len - s->at < 2)
			return refuse(l, s, "is cut off");
		insn_read(l->r, s->f, s->at + 1, &s->insn[1]);
		if (s->insn[1].code)
			return refuse(l, s, "has a malformed second half");
	}
	s->next += width;
	return records_take(l, s, width) ? -EINVAL : 1;
}

/* A symbol that a relocation may name: defined here. */
static const struct elf_sym *symbol_of(struct linker *l, const struct step *s)
{
	const struct elf_sym *sym = &l->r->elf.syms[s->rel->sym];

	if (sym->sec && sym->sec < l->r->elf.nsecs)
		return sym;
	refuse(l, s, "refers to a symbol without a section");
	return NULL;
}

static bool is_subprog_call(const struct bpf_insn *insn)
{
	return insn->code == CODE_CALL && insn->src_reg == BPF_PSEUDO_CALL;
}

static const struct func *callee(struct linker *l, const struct step *s)
{
	const struct func *to;
	uint32_t sec = s->f->sec;
	int64_t target = (int64_t)s->insn->imm + 1;

	if (s->rel) {
		const struct elf_sym *sym = symbol_of(l, s);

		if (!sym)
			return NULL;
		if (s->rel->type != R_CALL || sym->value % INSN_SIZE) {
			refuse(l, s, "call has a relocation of unknown type");
			return NULL;
		}
		sec = sym->sec;
		target += (int64_t)(sym->value / INSN_SIZE);
	} else {
		target += s->f->start + s->at;
	}
	to = target < 0 ? NULL : gen_func_at(l->r, sec, target);
	if (!to)
		refuse(l, s, "calls into something that is no function");
	return to;
}

static int func_append(struct linker *l, const struct func *f)
{
	uint32_t *place = &l->place_of[f - l->r->funcs];

	if (*place)
		return 0;
	if (f->len > INSNS_MAX - l->r->ninsns)
		return gen_fail(l->r, l->r->elf.secs[f->sec].name, f->name,
				"all programs together have more than %d instructions", INSNS_MAX);
	l->r->ninsns += f->len;
	l->funcs[l->nfuncs] = f;
	l->places[l->nfuncs] = (struct gen_func){ gen_strdup(l->r, f->name), l->ninsns, f->len };
	*place = ++l->nfuncs;
	l->ninsns += f->len;
	return l->places[*place - 1].name ? 0 : -EINVAL;
}

static bool is_stub(const struct func *f)
{
	return !strncmp(f->name, "stub_", 5);
}

static int stub_meet(struct linker *l, const struct step *s, const struct func *stub)
{
	if (is_stub(s->f))
		return refuse(l, s, "a stub calls another function");
	if (l->stub && l->stub != stub)
		return refuse(l, s, "calls a second stub");
	l->stub = stub;
	return 0;
}

/* Appends what the function at this place calls. */
static int callees_append(struct linker *l, uint32_t place)
{
	struct step s = steps_of(l->r, l->funcs[place]);
	int err;

	while ((err = step_next(l, &s)) > 0) {
		const struct func *to;

		if (!is_subprog_call(s.insn))
			continue;
		to = callee(l, &s);
		if (!to)
			return -EINVAL;
		if (is_stub(to) || is_stub(s.f) ? stub_meet(l, &s, to) : func_append(l, to))
			return -EINVAL;
	}
	return err;
}

/* The program and what it reaches, each once, in the order of the calls; so it ends even if
 * functions call each other in a circle, which is the verifier's to refuse. A stub comes last:
 * other code can be put in its place without moving anything. */
static int reach(struct linker *l, const struct func *prog)
{
	if (func_append(l, prog))
		return -EINVAL;
	for (uint32_t i = 0; i < l->nfuncs; i++)
		if (callees_append(l, i))
			return -EINVAL;
	if (!l->stub)
		return 0;
	if (func_append(l, l->stub))
		return -EINVAL;
	return callees_append(l, l->nfuncs - 1);
}

static int put_call(struct linker *l, struct step *s, uint32_t at)
{
	const struct func *to;

	if (s->insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		return refuse(l, s, "calls a kernel function (kfunc): not supported");
	if (s->insn->src_reg != BPF_PSEUDO_CALL)
		return s->rel || s->insn->src_reg ? refuse(l, s, "is a call of unknown form") : 0;
	to = callee(l, s);
	if (!to)
		return -EINVAL;
	s->insn->imm = (int32_t)(l->places[l->place_of[to - l->r->funcs] - 1].start - at - 1);
	return 0;
}

/* A ld_imm64 that names a map or a byte of global data. */
static int put_map(struct linker *l, struct step *s, uint32_t at)
{
	const struct elf_sym *sym = symbol_of(l, s);
	const struct elf_sec *sec;
	struct spec_reloc *out = &l->relocs[l->nrelocs];
	struct map *map;
	uint64_t off;

	if (!sym)
		return -EINVAL;
	if (s->rel->type != R_MAP || s->insn[0].src_reg || s->insn[1].imm)
		return refuse(l, s, "has a relocation of unknown type");
	sec = &l->r->elf.secs[sym->sec];
	if (sec->flags & SHF_EXECINSTR)
		return refuse(l, s, "takes a function's address: callbacks are not supported");
	off = sym->value + (uint64_t)(int64_t)s->insn->imm;
	map = gen_map_at(l->r, sym->sec, off);
	if (!map)
		return gen_fail(l->r, l->r->elf.secs[s->f->sec].name, s->f->name,
				"instruction %u: byte %lld of section %s is no map and no data",
				s->at, (long long)off, sec->name);
	map->used = true;
	out->insn = at;
	out->kind = map->spec.global ? SPEC_MAP_VALUE : SPEC_MAP_FD;
	out->map = map - l->r->maps;
	out->off = map->spec.global ? off : 0;
	l->nrelocs++;
	s->insn[0].src_reg = out->kind;
	s->insn[0].imm = 0;
	s->insn[1].imm = (int32_t)out->off;
	return 0;
}

/* Functions are moved one by one, so a jump may not leave its own. */
static int jump_check(struct linker *l, const struct step *s)
{
	uint8_t class = BPF_CLASS(s->insn->code), op = BPF_OP(s->insn->code);
	int64_t to = (int64_t)s->at + 1 + s->insn->off;

	if ((class != BPF_JMP && class != BPF_JMP32) || op == BPF_CALL || op == BPF_EXIT)
		return 0;
	if (class == BPF_JMP32 && op == BPF_JA)
		to = (int64_t)s->at + 1 + s->insn->imm;
	if (to < 0 || to >= s->f->len)
		return refuse(l, s, "jumps out of its function");
	return 0;
}

static int insn_put(struct linker *l, struct step *s, uint32_t at)
{
	int err = 0;

	if (s->insn->code == CODE_CALL)
		err = put_call(l, s, at);
	else if (s->insn->code == CODE_CALLX)
		err = refuse(l, s, "calls through a register: not supported");
	else if (s->insn->code == CODE_WIDE && s->rel)
		err = put_map(l, s, at);
	else if (s->insn->code == CODE_WIDE && s->insn->src_reg)
		err = refuse(l, s, "is a constant of unknown form");
	else if (s->rel)
		err = refuse(l, s, "has a relocation of unknown type");
	if (err || jump_check(l, s))
		return -EINVAL;
	if (s->core) {
		if (gen_core_make(l->r, s->f, s->core, s->insn, &l->cores[l->ncores]))
			return -EINVAL;
		l->cores[l->ncores++].insn = at;
	}
	l->insns[at] = s->insn[0];
	if (s->insn[0].code == CODE_WIDE)
		l->insns[at + 1] = s->insn[1];
	return 0;
}

static int place(struct linker *l)
{
	for (uint32_t i = 0; i < l->nfuncs; i++) {
		struct step s = steps_of(l->r, l->funcs[i]);
		int err;

		while ((err = step_next(l, &s)) > 0)
			if (insn_put(l, &s, l->places[i].start + s.at))
				return -EINVAL;
		if (err)
			return err;
	}
	return 0;
}

/* Relocations and records stand at one instruction each, so no more of them can be met. */
static uint32_t at_most(uint32_t records, uint32_t insns)
{
	return records < insns ? records : insns;
}

int gen_link(struct reader *r, const struct func *f, struct spec_prog *prog,
	     struct gen_layout *layout)
{
	struct linker l = { .r = r };

	l.funcs = gen_alloc(r, r->nfuncs, sizeof(*l.funcs));
	l.places = gen_alloc(r, r->nfuncs, sizeof(*l.places));
	l.place_of = gen_alloc(r, r->nfuncs, sizeof(*l.place_of));
	if (!l.funcs || !l.places || !l.place_of || reach(&l, f))
		return -EINVAL;
	l.insns = gen_alloc(r, l.ninsns, sizeof(*l.insns));
	l.relocs = gen_alloc(r, at_most(r->elf.nrels, l.ninsns), sizeof(*l.relocs));
	l.cores = gen_alloc(r, at_most(r->ncores, l.ninsns), sizeof(*l.cores));
	if (!l.insns || !l.relocs || !l.cores || place(&l))
		return -EINVAL;
	prog->first = r->ninsns - l.ninsns;
	prog->ninsns = l.ninsns;
	prog->stub = l.stub ? l.places[l.nfuncs - 1].start : 0;
	prog->relocs = l.relocs;
	prog->nrelocs = l.nrelocs;
	prog->cores = l.cores;
	prog->ncores = l.ncores;
	layout->insns = l.insns;
	layout->funcs = l.places;
	layout->nfuncs = l.nfuncs;
	return 0;
}
