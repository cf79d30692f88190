/* SPDX-License-Identifier: MIT */
/* Links the lookup code of sets into the code of filters.
 *
 * The first calls of a filter are inlined, since returning from a call costs most of a lookup on
 * CPUs with mitigations for return speculation (10 ns of 23, measured with AMD's "Safe RET"). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "gen/set.gen.h"
#include "obj/obj.h"
#include "sets/sets.h"

enum {
	INLINED_MAX = 4, /* calls replaced by the code, which has 200 instructions */
	REGS = 4,        /* callee-saved registers, from BPF_REG_6 on */
	/* Limit of the stack, in bytes, that emitted code and its callees may each use
	 * (filter/emit.h). It also holds with inlined code, since programs rely on it. */
	STACK_MAX = 64,
};

struct inlining {
	const struct bpf_insn *templates;
	unsigned int regs; /* registers to save: bit 0 is BPF_REG_6 */
	int stack;         /* bytes of stack that the filter's code uses */
};

static const unsigned int prog_of[] = {
	[SET_IPV4] = SET_PROG_SET4_LOOKUP, [SET_IPV6] = SET_PROG_SET6_LOOKUP
};

/* Returns the number that replaces a placeholder of the template; other immediates are
 * unchanged. */
static int32_t param_value(const struct set_head *head, int32_t imm)
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

static int reserve_insns(struct filter_code *code, size_t n)
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

/* Copies the lookup code of program p for one map. */
static void copy_code(struct bpf_insn *at, const struct bpf_insn *templates,
		      const struct spec_prog *p, const struct set_map *map)
{
	memcpy(at, templates + p->first, p->ninsns * sizeof(*at));
	for (uint32_t i = 0; i < p->nrelocs; i++) {
		at[p->relocs[i].insn].src_reg = BPF_PSEUDO_MAP_FD;
		at[p->relocs[i].insn].imm = map->fd;
	}
	for (uint32_t i = 0; i < p->ninsns; i++)
		if (at[i].code == (BPF_ALU64 | BPF_MOV | BPF_K))
			at[i].imm = param_value(&map->head, at[i].imm);
}

static bool is_jump(const struct bpf_insn *at)
{
	uint8_t class = BPF_CLASS(at->code), op = BPF_OP(at->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

/* Makes room for `more` instructions before the i-th, and adjusts jumps and relocations. */
static int insert_gap(struct filter_code *code, size_t i, size_t more)
{
	int rc = reserve_insns(code, code->n + more);

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

static bool is_stack_access(const struct bpf_insn *at)
{
	uint8_t class = BPF_CLASS(at->code);

	return class == BPF_LDX                      ? at->src_reg == BPF_REG_10
	       : class == BPF_STX || class == BPF_ST ? at->dst_reg == BPF_REG_10
						     : false;
}

/* Moves the code's stack accesses down by `by` bytes. Returns the bytes of stack that the code uses
 * then, or more than STACK_MAX if it takes a stack address other than by a copy and an addition
 * right after it. */
static int lower_stack(struct bpf_insn *at, size_t n, int by)
{
	int used = 0;

	for (size_t i = 0; i < n; i++) {
		int to = 0;

		if (is_stack_access(&at[i])) {
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

/* Finds the callee-saved registers that the code sets before its first call. The code may read them
 * after the call, so inlined code must save them. */
static unsigned int find_moved_regs(const struct filter_code *code)
{
	unsigned int regs = 0;

	for (size_t i = 0; i < code->relocs[0].insn; i++)
		if (code->insns[i].code == (BPF_ALU64 | BPF_MOV | BPF_X) &&
		    code->insns[i].dst_reg >= BPF_REG_6)
			regs |= 1u << (code->insns[i].dst_reg - BPF_REG_6);
	return regs;
}

static struct bpf_insn move_reg(uint8_t class, uint8_t dst, uint8_t src, int off)
{
	return (struct bpf_insn){ .code = class | BPF_MEM | BPF_DW,
				  .dst_reg = dst & 15,
				  .src_reg = src & 15,
				  .off = (int16_t)off };
}

/* Writes the lookup code that replaces a call, surrounded by code that saves and restores
 * registers. Returns its number of instructions, or 0 if it would need too much stack. */
static size_t make_inline(struct bpf_insn *inlined, const struct inlining *ctx,
			  const struct set_map *map)
{
	const struct spec_prog *p = &set_spec.progs[prog_of[SET_IPV4]];
	struct bpf_insn back[REGS];
	int stack = ctx->stack;
	size_t n = 0;

	for (uint8_t reg = BPF_REG_6; reg < BPF_REG_6 + REGS; reg++) {
		if (!(ctx->regs >> (reg - BPF_REG_6) & 1))
			continue;
		stack += 8;
		back[n] = move_reg(BPF_LDX, reg, BPF_REG_10, -stack);
		inlined[n++] = move_reg(BPF_STX, BPF_REG_10, reg, -stack);
	}
	copy_code(inlined + n, ctx->templates, p, map);
	if (lower_stack(inlined + n, p->ninsns, stack) > STACK_MAX)
		return 0;
	for (uint32_t i = 0; i < p->ninsns; i++)
		if (inlined[n + i].code == (BPF_JMP | BPF_EXIT))
			inlined[n + i] = (struct bpf_insn){ .code = BPF_JMP | BPF_JA,
							    .off = (int16_t)(p->ninsns - i - 1) };
	memcpy(inlined + n + p->ninsns, back, n * sizeof(*back));
	return p->ninsns + 2 * n;
}

/* Replaces a call by the code. Returns 0, 1 if it has no room, or -errno. Reports errors. */
static int inline_call(struct filter_code *code, size_t call, const struct inlining *ctx,
		       const struct set_map *map)
{
	size_t max = set_spec.progs[prog_of[SET_IPV4]].ninsns + 2 * REGS, n;
	struct bpf_insn *inlined = malloc(max * sizeof(*inlined));
	int rc = inlined ? 0 : fail_errno(-ENOMEM, "sets");

	n = inlined ? make_inline(inlined, ctx, map) : 0;
	if (!rc && (!n || code->n + n > FILTER_INSNS_MAX))
		rc = 1;
	if (!rc)
		rc = insert_gap(code, call, n - 1);
	if (!rc)
		memcpy(code->insns + call, inlined, n * sizeof(*inlined));
	free(inlined);
	return rc;
}

static int append_code(struct filter_code *code, const struct bpf_insn *templates,
		       enum set_family family, const struct set_map *map)
{
	const struct spec_prog *p = &set_spec.progs[prog_of[family]];
	int rc = reserve_insns(code, code->n + p->ninsns);

	if (rc)
		return rc;
	copy_code(code->insns + code->n, templates, p, map);
	code->n += p->ninsns;
	return 0;
}

/* Inlines the first IPv4 calls and removes their relocations. */
static int inline_calls(const struct sets *s, const struct bpf_insn *templates,
			struct filter_code *code)
{
	size_t left = 0, n = code->nrelocs, ninlined = 0;
	const struct inlining ctx = { .templates = templates,
				      .regs = find_moved_regs(code),
				      .stack = (lower_stack(code->insns, code->n, 0) + 7) & -8 };
	int rc = 0;

	for (size_t i = 0; i < n && rc >= 0; i++) {
		const struct filter_reloc *r = &code->relocs[i];
		const struct set_map *map = &s->maps[sets_find(s, r->name)][r->family];

		rc = r->family == SET_IPV4 && ninlined < INLINED_MAX
			     ? inline_call(code, r->insn, &ctx, map)
			     : 1;
		ninlined += rc == 0;
		if (rc > 0)
			code->relocs[left++] = *r;
	}
	code->nrelocs = left;
	return rc < 0 ? rc : 0;
}

static int link_calls(const struct sets *s, const struct bpf_insn *templates,
		      struct filter_code *code)
{
	size_t at[FILTER_SETS_MAX][SET_FAMILIES] = { { 0 } };
	int rc = 0;

	for (size_t i = 0; i < code->nrelocs && !rc; i++) {
		const struct filter_reloc *r = &code->relocs[i];
		size_t set = sets_find(s, r->name), *to = &at[set][r->family];

		if (!*to) {
			*to = code->n;
			rc = append_code(code, templates, (enum set_family)r->family,
					 &s->maps[set][r->family]);
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
	rc = inline_calls(s, templates, code);
	if (!rc)
		rc = link_calls(s, templates, code);
	free(templates);
	return rc;
}
