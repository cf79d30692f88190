/* SPDX-License-Identifier: MIT */
/* The code that looks into sets, linked with the filters' code that calls it.
 *
 * A call's way back is what costs most of a lookup where CPUs are kept from speculating about it
 * (10 ns of 23, measured on one with AMD's "Safe RET"): so the first ones of a filter are none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "gen/set.gen.h"
#include "obj/obj.h"
#include "sets/sets.h"

enum {
	PLACED_MAX = 4, /* calls that the code is put in place of; it is 200 instructions long */
	REGS = 4,       /* registers that the caller's code may keep, from BPF_REG_6 on */
	/* Bytes that code with calls in it may use (filter/emit.h), without them, too: programs
	 * reckon with no more. */
	STACK_MAX = 64,
};

/* What goes with it to a place. */
struct placing {
	const struct bpf_insn *templates;
	unsigned int regs; /* to keep: a bit each, from BPF_REG_6 on */
	int stack;         /* that the caller's code uses */
};

static const unsigned int progs[] = { [SET_IPV4] = SET_PROG_SET4, [SET_IPV6] = SET_PROG_SET6 };

/* What stands in the template for a number of the head. */
static int32_t number_for(const struct set_head *head, int32_t imm)
{
	switch (imm) {
	case SET_PARAM_TOP:
		return (int32_t)head->top;
	case SET_PARAM_BASE:
		return (int32_t)head->base;
	case SET_PARAM_BUCKETS:
		return (int32_t)head->buckets;
	case SET_PARAM_CODES:
		return (int32_t)head->codes;
	case SET_PARAM_CODES_BASE:
		return (int32_t)head->codes_base;
	default:
		return imm;
	}
}

static int reserve(struct filter_code *code, size_t n)
{
	struct bpf_insn *at = code->insns;

	if (n <= code->room)
		return 0;
	at = realloc(at, n * sizeof(*at));
	if (!at)
		return fail_errno(-ENOMEM, "sets");
	code->insns = at;
	code->room = n;
	return 0;
}

/* A copy of a family's code, out of the templates, for one set. */
static void copy_code(struct bpf_insn *at, const struct bpf_insn *templates,
		      const struct spec_prog *p, const struct set_one *one)
{
	memcpy(at, templates + p->first, p->ninsns * sizeof(*at));
	for (uint32_t i = 0; i < p->nrelocs; i++) {
		at[p->relocs[i].insn].src_reg = BPF_PSEUDO_MAP_FD;
		at[p->relocs[i].insn].imm = one->fd;
	}
	for (uint32_t i = 0; i < p->ninsns; i++)
		if (at[i].code == (BPF_ALU64 | BPF_MOV | BPF_K))
			at[i].imm = number_for(&one->head, at[i].imm);
}

static bool is_jump(const struct bpf_insn *at)
{
	uint8_t class = BPF_CLASS(at->code), op = BPF_OP(at->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

/* Room for so many more instructions before the i-th. */
static int widen(struct filter_code *code, size_t i, size_t more)
{
	int rc = reserve(code, code->n + more);

	if (rc)
		return rc;
	for (size_t j = 0; j < code->n; j++) {
		struct bpf_insn *at = &code->insns[j];
		size_t to = j + 1 + (size_t)at->off;

		if (is_jump(at) && j < i && to > i)
			at->off = (int16_t)(at->off + (int)more);
		else if (is_jump(at) && j > i && to <= i)
			at->off = (int16_t)(at->off - (int)more);
	}
	memmove(code->insns + i + more, code->insns + i, (code->n - i) * sizeof(*code->insns));
	code->n += more;
	for (size_t r = 0; r < code->nrelocs; r++)
		code->relocs[r].insn += code->relocs[r].insn > i ? (uint32_t)more : 0;
	return 0;
}

static bool is_stack(const struct bpf_insn *at)
{
	uint8_t class = BPF_CLASS(at->code);

	return class == BPF_LDX                      ? at->src_reg == BPF_REG_10
	       : class == BPF_STX || class == BPF_ST ? at->dst_reg == BPF_REG_10
						     : false;
}

/* Let code use the stack so many bytes further down. Returns the bytes that it uses then; more than
 * there are, if it takes the stack's address in any way but by a copy and an addition behind it. */
static int lower(struct bpf_insn *at, size_t n, int by)
{
	int used = 0;

	for (size_t i = 0; i < n; i++) {
		int to = 0;

		if (is_stack(&at[i])) {
			at[i].off = (int16_t)(at[i].off - by);
			to = at[i].off;
		} else if (at[i].code == (BPF_ALU64 | BPF_MOV | BPF_X) &&
			   at[i].src_reg == BPF_REG_10) {
			if (i + 1 == n || at[i + 1].code != (BPF_ALU64 | BPF_ADD | BPF_K) ||
			    at[i + 1].dst_reg != at[i].dst_reg)
				return STACK_MAX + 1;
			at[i + 1].imm -= by;
			to = at[i + 1].imm;
		}
		used = -to > used ? -to : used;
	}
	return used;
}

/* The registers from BPF_REG_6 on that code has moved something to before its first call: what it
 * may want back behind any of them. */
static unsigned int written(const struct filter_code *code)
{
	unsigned int regs = 0;

	for (size_t i = 0; i < code->relocs[0].insn; i++)
		if (code->insns[i].code == (BPF_ALU64 | BPF_MOV | BPF_X) &&
		    code->insns[i].dst_reg >= BPF_REG_6)
			regs |= 1u << (code->insns[i].dst_reg - BPF_REG_6);
	return regs;
}

static struct bpf_insn keep(uint8_t class, uint8_t dst, uint8_t src, int off)
{
	return (struct bpf_insn){ .code = class | BPF_MEM | BPF_DW,
				  .dst_reg = dst & 15,
				  .src_reg = src & 15,
				  .off = (int16_t)off };
}

/* A set's code for the place of a call, between what keeps registers and what brings them back.
 * Instructions of it; 0: it takes too much stack. */
static size_t make_own(struct bpf_insn *own, const struct placing *with, const struct set_one *one)
{
	const struct spec_prog *p = &set_spec.progs[progs[SET_IPV4]];
	struct bpf_insn back[REGS];
	int stack = with->stack;
	size_t n = 0;

	for (uint8_t reg = BPF_REG_6; reg < BPF_REG_6 + REGS; reg++) {
		if (!(with->regs >> (reg - BPF_REG_6) & 1))
			continue;
		stack += 8;
		back[n] = keep(BPF_LDX, reg, BPF_REG_10, -stack);
		own[n++] = keep(BPF_STX, BPF_REG_10, reg, -stack);
	}
	copy_code(own + n, with->templates, p, one);
	if (lower(own + n, p->ninsns, stack) > STACK_MAX)
		return 0;
	for (uint32_t i = 0; i < p->ninsns; i++)
		if (own[n + i].code == (BPF_JMP | BPF_EXIT))
			own[n + i] = (struct bpf_insn){ .code = BPF_JMP | BPF_JA,
							.off = (int16_t)(p->ninsns - i - 1) };
	memcpy(own + n + p->ninsns, back, n * sizeof(*back));
	return p->ninsns + 2 * n;
}

/* 1: it cannot be put there. */
static int place(struct filter_code *code, size_t call, const struct placing *with,
		 const struct set_one *one)
{
	size_t max = set_spec.progs[progs[SET_IPV4]].ninsns + 2 * REGS, n;
	struct bpf_insn *own = malloc(max * sizeof(*own));
	int rc = own ? 0 : fail_errno(-ENOMEM, "sets");

	n = own ? make_own(own, with, one) : 0;
	if (!rc && (!n || code->n + n > FILTER_INSNS_MAX))
		rc = 1;
	if (!rc)
		rc = widen(code, call, n - 1);
	if (!rc)
		memcpy(code->insns + call, own, n * sizeof(*own));
	free(own);
	return rc;
}

static int append(struct filter_code *code, const struct bpf_insn *templates,
		  enum set_family family, const struct set_one *one)
{
	const struct spec_prog *p = &set_spec.progs[progs[family]];
	int rc = reserve(code, code->n + p->ninsns);

	if (rc)
		return rc;
	copy_code(code->insns + code->n, templates, p, one);
	code->n += p->ninsns;
	return 0;
}

/* The calls that are placed are no more in the list of calls. */
static int place_some(const struct sets *s, const struct bpf_insn *templates,
		      struct filter_code *code)
{
	size_t left = 0, n = code->nrelocs, placed = 0;
	const struct placing with = { .templates = templates,
				      .regs = written(code),
				      .stack = (lower(code->insns, code->n, 0) + 7) & -8 };
	int rc = 0;

	for (size_t i = 0; i < n && rc >= 0; i++) {
		const struct filter_reloc *r = &code->relocs[i];
		const struct set_one *one = &s->of[sets_number(s, r->name)][r->family];

		rc = r->family == SET_IPV4 && placed < PLACED_MAX ? place(code, r->insn, &with, one)
								  : 1;
		placed += rc == 0;
		if (rc > 0)
			code->relocs[left++] = *r;
	}
	code->nrelocs = left;
	return rc < 0 ? rc : 0;
}

static int link_all(const struct sets *s, const struct bpf_insn *templates,
		    struct filter_code *code)
{
	size_t at[FILTER_SETS_MAX][SET_FAMILIES] = { { 0 } };
	int rc = 0;

	for (size_t i = 0; i < code->nrelocs && !rc; i++) {
		const struct filter_reloc *r = &code->relocs[i];
		size_t set = sets_number(s, r->name), *to = &at[set][r->family];

		if (!*to) {
			*to = code->n;
			rc = append(code, templates, (enum set_family)r->family,
				    &s->of[set][r->family]);
		}
		code->insns[r->insn].imm = (int32_t)(*to - r->insn - 1);
	}
	return rc;
}

int sets_link(const struct sets *s, struct filter_code *code)
{
	struct bpf_insn *templates;
	int rc = code->nrelocs ? obj_unpack_code(&set_spec, &templates) : 0;

	if (rc || !code->nrelocs)
		return rc;
	rc = place_some(s, templates, code);
	if (!rc)
		rc = link_all(s, templates, code);
	free(templates);
	return rc;
}
