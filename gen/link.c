// SPDX-License-Identifier: MIT
/* Appends to a program all subprograms that it reaches, and resolves their relocations. */
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
	const struct func **funcs; /* in the order of the layout */
	struct gen_func *layout;
	uint32_t *index_of; /* by index in r->funcs: index in the layout + 1, 0: not in it */
	uint32_t nfuncs, ninsns;
	const struct func *stub;
	struct bpf_insn *insns;
	struct spec_reloc *relocs;
	struct spec_core *cores;
	uint32_t nrelocs, ncores;
};

/* A walk over a function's instructions, with the relocation and CO-RE record of each. */
struct step {
	const struct func *f;
	uint32_t next;               /* index of the next instruction in the function */
	uint32_t at;                 /* index of the current one */
	struct bpf_insn insn[2];     /* the second one is valid for CODE_WIDE */
	const struct elf_rel *rel;   /* NULL: none */
	const struct core_rec *core; /* NULL: none */
	uint32_t rels, cores;        /* indices of the next ones in the reader */
};

static int fail_insn(struct linker *l, const struct step *s, const char *what)
{
	return gen_fail(l->r, l->r->elf.secs[s->f->sec].name, s->f->name, "instruction %u: %s",
			s->at, what);
}

/* Starts a walk: finds the first relocation and CO-RE record at or after the function's start. */
static struct step start_steps(const struct reader *r, const struct func *f)
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

static void read_insn(const struct reader *r, const struct func *f, uint32_t i,
		      struct bpf_insn *insn)
{
	struct slice s = r->elf.secs[f->sec].data;
	uint64_t at = (uint64_t)(f->start + i) * INSN_SIZE, code = 0, regs = 0;
	uint16_t off = 0;
	uint32_t imm = 0;

	slice_read_num(s, at, 1, &code);
	slice_read_num(s, at + 1, 1, &regs);
	slice_read_u16(s, at + 2, &off);
	slice_read_u32(s, at + 4, &imm);
	insn->code = code;
	insn->dst_reg = s.big ? regs >> 4 : regs & 15;
	insn->src_reg = s.big ? regs & 15 : regs >> 4;
	insn->off = (int16_t)off;
	insn->imm = (int32_t)imm;
}

/* Takes the relocation and CO-RE record at the start of the current instruction. One that lies
 * inside the instruction is an error. */
static int take_records(struct linker *l, struct step *s, uint32_t width)
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
			return fail_insn(l, s, "has a stray relocation");
		s->rel = rel;
	}
	for (; s->cores < r->ncores; s->cores++) {
		const struct core_rec *core = &r->cores[s->cores];

		if (core->sec != s->f->sec || (uint64_t)core->insn * INSN_SIZE >= end)
			break;
		if (s->core || s->rel || (uint64_t)core->insn * INSN_SIZE != begin)
			return fail_insn(l, s, "has a stray CO-RE record");
		s->core = core;
	}
	return 0;
}

/* 1 with the next instruction, 0 after the last one, or -EINVAL. */
static int next_step(struct linker *l, struct step *s)
{
	uint32_t width = 1;

	if (s->next == s->f->len)
		return 0;
	s->at = s->next;
	read_insn(l->r, s->f, s->at, &s->insn[0]);
	if (s->insn[0].code == CODE_WIDE) {
		width = 2;
		if (s->f->len - s->at < 2)
			return fail_insn(l, s, "is cut off");
		read_insn(l->r, s->f, s->at + 1, &s->insn[1]);
		if (s->insn[1].code)
			return fail_insn(l, s, "has a malformed second half");
	}
	s->next += width;
	return take_records(l, s, width) ? -EINVAL : 1;
}

/* Returns the symbol of the current relocation, defined in this object; NULL after an error. */
static const struct elf_sym *get_symbol(struct linker *l, const struct step *s)
{
	const struct elf_sym *sym = &l->r->elf.syms[s->rel->sym];

	if (sym->sec && sym->sec < l->r->elf.nsecs)
		return sym;
	fail_insn(l, s, "refers to a symbol without a section");
	return NULL;
}

static bool is_subprog_call(const struct bpf_insn *insn)
{
	return insn->code == CODE_CALL && insn->src_reg == BPF_PSEUDO_CALL;
}

static const struct func *find_callee(struct linker *l, const struct step *s)
{
	const struct func *to;
	uint32_t sec = s->f->sec;
	int64_t target = (int64_t)s->insn->imm + 1;

	if (s->rel) {
		const struct elf_sym *sym = get_symbol(l, s);

		if (!sym)
			return NULL;
		if (s->rel->type != R_CALL || sym->value % INSN_SIZE) {
			fail_insn(l, s, "call has a relocation of unknown type");
			return NULL;
		}
		sec = sym->sec;
		target += (int64_t)(sym->value / INSN_SIZE);
	} else {
		target += s->f->start + s->at;
	}
	to = target < 0 ? NULL : gen_find_func(l->r, sec, target);
	if (!to)
		fail_insn(l, s, "the target of the call is not a function");
	return to;
}

static int append_func(struct linker *l, const struct func *f)
{
	uint32_t *index = &l->index_of[f - l->r->funcs];

	if (*index)
		return 0;
	if (f->len > INSNS_MAX - l->r->ninsns)
		return gen_fail(l->r, l->r->elf.secs[f->sec].name, f->name,
				"all programs together have more than %d instructions", INSNS_MAX);
	l->r->ninsns += f->len;
	l->funcs[l->nfuncs] = f;
	l->layout[l->nfuncs] = (struct gen_func){ gen_strdup(l->r, f->name), l->ninsns, f->len };
	*index = ++l->nfuncs;
	l->ninsns += f->len;
	return l->layout[*index - 1].name ? 0 : -EINVAL;
}

static bool is_stub(const struct func *f)
{
	return !strncmp(f->name, "stub_", 5);
}

static int set_stub(struct linker *l, const struct step *s, const struct func *stub)
{
	if (is_stub(s->f))
		return fail_insn(l, s, "a stub calls another function");
	if (l->stub && l->stub != stub)
		return fail_insn(l, s, "calls a second stub");
	l->stub = stub;
	return 0;
}

/* Appends the functions that the function at this index calls. */
static int append_callees(struct linker *l, uint32_t index)
{
	struct step s = start_steps(l->r, l->funcs[index]);
	int err;

	while ((err = next_step(l, &s)) > 0) {
		const struct func *to;

		if (!is_subprog_call(s.insn))
			continue;
		to = find_callee(l, &s);
		if (!to)
			return -EINVAL;
		if (is_stub(to) || is_stub(s.f) ? set_stub(l, &s, to) : append_func(l, to))
			return -EINVAL;
	}
	return err;
}

/* Lists the program and the functions that it reaches, each once, in the order of the calls.
 * Recursive functions, which the verifier refuses, are listed once, too. A stub comes last, so that
 * code of another length can replace it without moving other functions. */
static int collect_funcs(struct linker *l, const struct func *prog)
{
	if (append_func(l, prog))
		return -EINVAL;
	for (uint32_t i = 0; i < l->nfuncs; i++)
		if (append_callees(l, i))
			return -EINVAL;
	if (!l->stub)
		return 0;
	if (append_func(l, l->stub))
		return -EINVAL;
	return append_callees(l, l->nfuncs - 1);
}

static int relocate_call(struct linker *l, struct step *s, uint32_t at)
{
	const struct func *to;

	if (s->insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		return fail_insn(l, s, "calls a kernel function (kfunc): not supported");
	if (s->insn->src_reg != BPF_PSEUDO_CALL)
		return s->rel || s->insn->src_reg ? fail_insn(l, s, "unknown form of call") : 0;
	to = find_callee(l, s);
	if (!to)
		return -EINVAL;
	s->insn->imm = (int32_t)(l->layout[l->index_of[to - l->r->funcs] - 1].start - at - 1);
	return 0;
}

/* Relocates a ld_imm64 of a map, or of the address of global data. */
static int relocate_map(struct linker *l, struct step *s, uint32_t at)
{
	const struct elf_sym *sym = get_symbol(l, s);
	const struct elf_sec *sec;
	struct spec_reloc *out = &l->relocs[l->nrelocs];
	struct map *map;
	uint64_t off;

	if (!sym)
		return -EINVAL;
	if (s->rel->type != R_MAP || s->insn[0].src_reg || s->insn[1].imm)
		return fail_insn(l, s, "has a relocation of unknown type");
	sec = &l->r->elf.secs[sym->sec];
	if (sec->flags & SHF_EXECINSTR)
		return fail_insn(l, s, "takes a function's address: callbacks are not supported");
	off = sym->value + (uint64_t)(int64_t)s->insn->imm;
	map = gen_find_map(l->r, sym->sec, off);
	if (!map)
		return gen_fail(l->r, l->r->elf.secs[s->f->sec].name, s->f->name,
				"instruction %u: byte %lld of section %s is neither a map nor data",
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

/* Functions are moved separately, so a jump must stay within its function. */
static int check_jump(struct linker *l, const struct step *s)
{
	uint8_t class = BPF_CLASS(s->insn->code), op = BPF_OP(s->insn->code);
	int64_t to = (int64_t)s->at + 1 + s->insn->off;

	if ((class != BPF_JMP && class != BPF_JMP32) || op == BPF_CALL || op == BPF_EXIT)
		return 0;
	if (class == BPF_JMP32 && op == BPF_JA)
		to = (int64_t)s->at + 1 + s->insn->imm;
	if (to < 0 || to >= s->f->len)
		return fail_insn(l, s, "jumps out of its function");
	return 0;
}

static int put_insn(struct linker *l, struct step *s, uint32_t at)
{
	int err = 0;

	if (s->insn->code == CODE_CALL)
		err = relocate_call(l, s, at);
	else if (s->insn->code == CODE_CALLX)
		err = fail_insn(l, s, "calls through a register: not supported");
	else if (s->insn->code == CODE_WIDE && s->rel)
		err = relocate_map(l, s, at);
	else if (s->insn->code == CODE_WIDE && s->insn->src_reg)
		err = fail_insn(l, s, "unknown form of constant");
	else if (s->rel)
		err = fail_insn(l, s, "has a relocation of unknown type");
	if (err || check_jump(l, s))
		return -EINVAL;
	if (s->core) {
		if (gen_make_core(l->r, s->f, s->core, s->insn, &l->cores[l->ncores]))
			return -EINVAL;
		l->cores[l->ncores++].insn = at;
	}
	l->insns[at] = s->insn[0];
	if (s->insn[0].code == CODE_WIDE)
		l->insns[at + 1] = s->insn[1];
	return 0;
}

static int place_funcs(struct linker *l)
{
	for (uint32_t i = 0; i < l->nfuncs; i++) {
		struct step s = start_steps(l->r, l->funcs[i]);
		int err;

		while ((err = next_step(l, &s)) > 0)
			if (put_insn(l, &s, l->layout[i].start + s.at))
				return -EINVAL;
		if (err)
			return err;
	}
	return 0;
}

/* The most relocations or records that a program can use: one for each instruction. */
static uint32_t max_records(uint32_t records, uint32_t insns)
{
	return records < insns ? records : insns;
}

int gen_link_prog(struct reader *r, const struct func *f, struct spec_prog *prog,
		  struct gen_layout *layout)
{
	struct linker l = { .r = r };

	l.funcs = gen_alloc(r, r->nfuncs, sizeof(*l.funcs));
	l.layout = gen_alloc(r, r->nfuncs, sizeof(*l.layout));
	l.index_of = gen_alloc(r, r->nfuncs, sizeof(*l.index_of));
	if (!l.funcs || !l.layout || !l.index_of || collect_funcs(&l, f))
		return -EINVAL;
	l.insns = gen_alloc(r, l.ninsns, sizeof(*l.insns));
	l.relocs = gen_alloc(r, max_records(r->elf.nrels, l.ninsns), sizeof(*l.relocs));
	l.cores = gen_alloc(r, max_records(r->ncores, l.ninsns), sizeof(*l.cores));
	if (!l.insns || !l.relocs || !l.cores || place_funcs(&l))
		return -EINVAL;
	prog->first = r->ninsns - l.ninsns;
	prog->ninsns = l.ninsns;
	prog->stub = l.stub ? l.layout[l.nfuncs - 1].start : 0;
	prog->relocs = l.relocs;
	prog->nrelocs = l.nrelocs;
	prog->cores = l.cores;
	prog->ncores = l.ncores;
	layout->insns = l.insns;
	layout->funcs = l.layout;
	layout->nfuncs = l.nfuncs;
	return 0;
}
