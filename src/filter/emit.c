/* SPDX-License-Identifier: MIT */
/* Code for a filter's tree: tests by jumps that go as soon as the answer is certain, numbers in r0
 * with the stack for what waits. */
#include "filter/emit.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/grow.h"
#include "net/tls.h"

enum {
	SLOTS = 7,    /* numbers that wait, 8 bytes each; one more for bytes from an skb */
	FAR = 0x3fff, /* no byte of an XDP packet's linear part is beyond it */
	R_VIEW = BPF_REG_6,
	R_PACKET = BPF_REG_7,
	R_END = BPF_REG_8,
	NOWHERE = -1,
};

/* Jumps to a label are chained through their offsets until it is placed. */
struct jump {
	uint32_t insn, label;
};

struct emitter {
	const struct filter_node *nodes;
	const struct filter_set *sets;
	enum filter_target flavour;
	struct filter_code code;
	struct jump *jumps;
	size_t njumps, jump_room;
	int32_t *labels; /* the instruction that it is before, or NOWHERE */
	size_t nlabels, label_room;
	uint16_t rule;    /* the filter in work, of several */
	uint32_t no, yes; /* labels of what that comes to */
	uint16_t view;    /* offset of the view in use from R_VIEW */
	bool negative;    /* within an odd number of nots */
	int waiting;      /* slots in use */
	int rc;
	const char *why;
};

static void too_long(struct emitter *e)
{
	e->rc = -E2BIG;
	e->why = "the filter is too long for one program: use a set";
}

static void put(struct emitter *e, uint8_t code, uint8_t dst, uint8_t src, int off, int64_t imm)
{
	struct bpf_insn *at;

	if (e->code.n >= FILTER_INSNS_MAX) {
		too_long(e);
		return;
	}
	at = array_grow(e->code.insns, e->code.n, &e->code.room, sizeof(*at));
	if (!at) {
		e->rc = -ENOMEM;
		return;
	}
	e->code.insns = at;
	at[e->code.n++] = (struct bpf_insn){ .code = code,
					     .dst_reg = dst & 15,
					     .src_reg = src & 15,
					     .off = (int16_t)off,
					     .imm = (int32_t)imm };
}

static uint32_t label(struct emitter *e)
{
	int32_t *at = array_grow(e->labels, e->nlabels, &e->label_room, sizeof(*at));

	if (!at) {
		e->rc = -ENOMEM;
		return 0;
	}
	e->labels = at;
	at[e->nlabels] = NOWHERE;
	return (uint32_t)e->nlabels++;
}

static void place(struct emitter *e, uint32_t to)
{
	if (!e->rc)
		e->labels[to] = (int32_t)e->code.n;
}

/* A jump whose operands are given like put()'s. */
static void jump(struct emitter *e, uint8_t code, uint8_t dst, uint8_t src, int64_t imm,
		 uint32_t to)
{
	struct jump *at;

	if (e->njumps == FILTER_JUMPS_MAX) {
		too_long(e);
		return;
	}
	at = array_grow(e->jumps, e->njumps, &e->jump_room, sizeof(*at));
	if (!at) {
		e->rc = -ENOMEM;
		return;
	}
	e->jumps = at;
	at[e->njumps++] = (struct jump){ (uint32_t)e->code.n, to };
	put(e, code, dst, src, 0, imm);
}

static void load_imm64(struct emitter *e, uint8_t dst, uint64_t value)
{
	put(e, BPF_LD | BPF_IMM | BPF_DW, dst, 0, 0, (int32_t)(uint32_t)value);
	put(e, 0, 0, 0, 0, (int32_t)(uint32_t)(value >> 32));
}

static uint8_t width(uint8_t size)
{
	return size == 1 ? BPF_B : size == 2 ? BPF_H : size == 4 ? BPF_W : BPF_DW;
}

static void load_field(struct emitter *e, uint8_t dst, uint16_t field, uint8_t size)
{
	put(e, BPF_LDX | BPF_MEM | width(size), dst, R_VIEW, e->view + field, 0);
}

static int slot(int n)
{
	return -8 * (n + 1);
}

static void number(struct emitter *e, uint32_t at);

/* The big-endian number at r2 in memory that need not be aligned, into r0. */
static void gather(struct emitter *e, uint8_t size)
{
	put(e, BPF_LDX | BPF_MEM | BPF_B, BPF_REG_0, BPF_REG_2, 0, 0);
	for (int i = 1; i < size; i++) {
		put(e, BPF_ALU | BPF_LSH | BPF_K, BPF_REG_0, 0, 0, 8);
		put(e, BPF_LDX | BPF_MEM | BPF_B, BPF_REG_1, BPF_REG_2, i, 0);
		put(e, BPF_ALU | BPF_OR | BPF_X, BPF_REG_0, BPF_REG_1, 0, 0);
	}
}

/* Where a packet goes of which something that is asked for is not there: it is rejected, unless an
 * approximation led there, which the judge in user space may pass by. */
static uint32_t missing(const struct emitter *e)
{
	return e->code.exact ? e->no : e->yes;
}

/* r2: r0 bytes into the packet, size of which are there; else it goes to a label. r0 is kept. */
static void linear(struct emitter *e, int size, uint32_t beyond)
{
	jump(e, BPF_JMP | BPF_JGT | BPF_K, BPF_REG_0, 0, FAR, beyond);
	put(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, R_PACKET, 0, 0);
	put(e, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_2, BPF_REG_0, 0, 0);
	put(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_2, 0, 0);
	put(e, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, size);
	jump(e, BPF_JMP | BPF_JGT | BPF_X, BPF_REG_1, R_END, 0, beyond);
}

/* size bytes of an skb from r0 on to slot(SLOTS), if they are there. */
static void copied(struct emitter *e, int size, uint32_t beyond)
{
	put(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, R_PACKET, 0, 0);
	put(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_0, 0, 0);
	put(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_10, 0, 0);
	put(e, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_3, 0, 0, slot(SLOTS));
	put(e, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, size);
	put(e, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_skb_load_bytes);
	jump(e, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 0, beyond);
}

/* From the packet at (header + r0) into r0. What is not there rejects the packet. */
static void byte(struct emitter *e, const struct filter_node *n)
{
	load_field(e, BPF_REG_1, n->field, 2);
	put(e, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_0, BPF_REG_1, 0, 0);
	if (e->flavour == FILTER_XDP) {
		linear(e, n->size, missing(e));
		gather(e, n->size);
		return;
	}
	jump(e, BPF_JMP | BPF_JGT | BPF_K, BPF_REG_0, 0, INT32_MAX, missing(e));
	copied(e, n->size, missing(e));
	put(e, BPF_LDX | BPF_MEM | width(n->size), BPF_REG_0, BPF_REG_10, slot(SLOTS), 0);
	if (n->size > 1)
		put(e, BPF_ALU | BPF_END | BPF_TO_BE, BPF_REG_0, 0, 0, n->size * 8);
}

/* r0 and r2: the operands. */
static void calculate(struct emitter *e, uint8_t op)
{
	static const uint8_t codes[] = {
		[FILTER_ADD] = BPF_ADD, [FILTER_SUB] = BPF_SUB, [FILTER_MUL] = BPF_MUL,
		[FILTER_DIV] = BPF_DIV, [FILTER_MOD] = BPF_MOD, [FILTER_BAND] = BPF_AND,
		[FILTER_BOR] = BPF_OR,  [FILTER_XOR] = BPF_XOR, [FILTER_LSH] = BPF_LSH,
		[FILTER_RSH] = BPF_RSH,
	};
	uint32_t small, done;

	if (op == FILTER_DIV || op == FILTER_MOD)
		jump(e, BPF_JMP32 | BPF_JEQ | BPF_K, BPF_REG_2, 0, 0, missing(e));
	if (op != FILTER_LSH && op != FILTER_RSH) {
		put(e, BPF_ALU | codes[op] | BPF_X, BPF_REG_0, BPF_REG_2, 0, 0);
		return;
	}
	small = label(e);
	done = label(e);
	jump(e, BPF_JMP32 | BPF_JLT | BPF_K, BPF_REG_2, 0, 32, small);
	put(e, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	jump(e, BPF_JMP | BPF_JA, 0, 0, 0, done);
	place(e, small);
	put(e, BPF_ALU | codes[op] | BPF_X, BPF_REG_0, BPF_REG_2, 0, 0);
	place(e, done);
}

/* Both operands: the first into r0, the second into r2. */
static void pair(struct emitter *e, uint32_t a, uint32_t b)
{
	number(e, a);
	if (e->nodes[b].op == FILTER_NUM) {
		put(e, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_2, 0, 0,
		    (int32_t)(uint32_t)e->nodes[b].value);
		return;
	}
	if (e->waiting == SLOTS) {
		e->rc = -E2BIG;
		e->why = "the arithmetic is too deep: more than 7 numbers wait for others";
		return;
	}
	put(e, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_0, slot(e->waiting++), 0);
	number(e, b);
	put(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_0, 0, 0);
	put(e, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_10, slot(--e->waiting), 0);
}

/* A number of 32 bits into r0, the upper half zero. */
static void number(struct emitter *e, uint32_t at)
{
	const struct filter_node *n = &e->nodes[at];

	if (e->rc)
		return;
	switch (n->op) {
	case FILTER_NUM:
		put(e, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, (int32_t)(uint32_t)n->value);
		break;
	case FILTER_LOAD:
		load_field(e, BPF_REG_0, n->field, n->size);
		break;
	case FILTER_BYTE:
		number(e, n->a);
		byte(e, n);
		break;
	case FILTER_NEG:
		number(e, n->a);
		put(e, BPF_ALU | BPF_NEG, BPF_REG_0, 0, 0, 0);
		break;
	default:
		pair(e, n->a, n->b);
		calculate(e, n->op);
	}
}

/* The jump that is taken if the comparison holds, or if it does not. */
static uint8_t jump_code(uint8_t cmp, bool holds)
{
	static const uint8_t codes[][2] = {
		[FILTER_EQ] = { BPF_JNE, BPF_JEQ }, [FILTER_NE] = { BPF_JEQ, BPF_JNE },
		[FILTER_GT] = { BPF_JLE, BPF_JGT }, [FILTER_GE] = { BPF_JLT, BPF_JGE },
		[FILTER_LT] = { BPF_JGE, BPF_JLT }, [FILTER_LE] = { BPF_JGT, BPF_JLE },
	};

	return codes[cmp][holds];
}

/* Go to one of two labels; next is the one that is placed right behind. */
static void branch(struct emitter *e, uint8_t class_source, uint8_t cmp, uint8_t src, int64_t imm,
		   const uint32_t to[2], uint32_t next)
{
	bool on = to[1] != next;

	jump(e, class_source | jump_code(cmp, on), BPF_REG_0, src, imm, to[on]);
	if (to[!on] != next)
		jump(e, BPF_JMP | BPF_JA, 0, 0, 0, to[!on]);
}

/* A certain answer is asked about nevertheless: the verifier refuses code that nothing leads to. */
static void constant(struct emitter *e, bool value, const uint32_t to[2], uint32_t next)
{
	put(e, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
	branch(e, BPF_JMP | BPF_K, FILTER_NE, 0, 0, to, next);
}

static void field(struct emitter *e, const struct filter_node *n, const uint32_t to[2],
		  uint32_t next)
{
	uint64_t all = n->size == 8 ? UINT64_MAX : (UINT64_C(1) << n->size * 8) - 1;

	load_field(e, BPF_REG_0, n->field, n->size);
	if (n->size < 8) {
		if (n->mask != all)
			put(e, BPF_ALU | BPF_AND | BPF_K, BPF_REG_0, 0, 0,
			    (int32_t)(uint32_t)n->mask);
		branch(e, BPF_JMP32 | BPF_K, n->cmp, 0, (int32_t)(uint32_t)n->value, to, next);
		return;
	}
	if (n->mask != all) {
		load_imm64(e, BPF_REG_1, n->mask);
		put(e, BPF_ALU64 | BPF_AND | BPF_X, BPF_REG_0, BPF_REG_1, 0, 0);
	}
	load_imm64(e, BPF_REG_1, n->value);
	branch(e, BPF_JMP | BPF_X, n->cmp, BPF_REG_1, 0, to, next);
}

static void relation(struct emitter *e, const struct filter_node *n, const uint32_t to[2],
		     uint32_t next)
{
	if (e->nodes[n->b].op == FILTER_NUM) {
		number(e, n->a);
		branch(e, BPF_JMP32 | BPF_K, n->cmp, 0, (int32_t)(uint32_t)e->nodes[n->b].value, to,
		       next);
		return;
	}
	pair(e, n->a, n->b);
	branch(e, BPF_JMP32 | BPF_X, n->cmp, BPF_REG_2, 0, to, next);
}

/* Call what answers for a set's addresses of a family. */
static void call_set(struct emitter *e, uint64_t set, enum set_family family)
{
	struct filter_reloc *at =
		array_grow(e->code.relocs, e->code.nrelocs, &e->code.reloc_room, sizeof(*at));

	if (!at) {
		e->rc = -ENOMEM;
		return;
	}
	e->code.relocs = at;
	at[e->code.nrelocs++] = (struct filter_reloc){ (uint32_t)e->code.n, e->rule, (uint16_t)set,
						       (uint8_t)family, e->sets[set].name };
	put(e, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
}

/* Look the address at the field up in one family. */
static void lookup(struct emitter *e, const struct filter_node *n, enum set_family family,
		   const uint32_t to[2], uint32_t next)
{
	if (family == SET_IPV4) {
		load_field(e, BPF_REG_1, n->field, 4);
	} else {
		put(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, R_VIEW, 0, 0);
		put(e, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, e->view + n->field);
	}
	call_set(e, n->value, family);
	branch(e, BPF_JMP | BPF_K, FILTER_NE, 0, 0, to, next);
}

/* A family without members is not asked. */
static void member(struct emitter *e, const struct filter_node *n, const uint32_t to[2],
		   uint32_t next)
{
	bool any[] = { e->sets[n->value].of[SET_IPV4].n, e->sets[n->value].of[SET_IPV6].n };
	uint32_t other = any[SET_IPV4] && any[SET_IPV6] ? label(e) : to[0];

	if (!any[SET_IPV4] && !any[SET_IPV6]) {
		constant(e, false, to, next);
		return;
	}
	load_field(e, BPF_REG_0, offsetof(struct view, addrs), 1);
	if (any[SET_IPV4]) {
		jump(e, BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_0, 0, 4, other);
		lookup(e, n, SET_IPV4, to, any[SET_IPV6] ? other : next);
	}
	if (any[SET_IPV4] && any[SET_IPV6])
		place(e, other);
	if (any[SET_IPV6]) {
		jump(e, BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_0, 0, 6, to[0]);
		lookup(e, n, SET_IPV6, to, next);
	}
}

/* A payload that begins as a TLS client's first message does. */
static void client_hello(struct emitter *e, const uint32_t to[2], uint32_t next)
{
	static const struct {
		int at, value;
	} bytes[] = { { 0, TLS_HANDSHAKE }, { 1, 3 }, { TLS_HEADERS_LEN - 1, TLS_CLIENT_HELLO } };
	uint8_t at = e->flavour == FILTER_XDP ? BPF_REG_2 : BPF_REG_10;
	int from = e->flavour == FILTER_XDP ? 0 : slot(SLOTS);

	load_field(e, BPF_REG_0, offsetof(struct view, payload), 2);
	if (e->flavour == FILTER_XDP) {
		/* Beyond the linear part it is not known: let through what goes on so far. */
		put(e, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, R_VIEW, offsetof(struct view, len), 0);
		put(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_0, 0, 0);
		put(e, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, TLS_HEADERS_LEN);
		jump(e, BPF_JMP | BPF_JGT | BPF_X, BPF_REG_1, BPF_REG_2, 0, to[0]);
		linear(e, TLS_HEADERS_LEN, to[1]);
	} else {
		copied(e, TLS_HEADERS_LEN, to[0]);
	}
	for (int i = 0; i < 3; i++) {
		put(e, BPF_LDX | BPF_MEM | BPF_B, BPF_REG_0, at, from + bytes[i].at, 0);
		if (i < 2)
			jump(e, BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_0, 0, bytes[i].value, to[0]);
	}
	branch(e, BPF_JMP32 | BPF_K, FILTER_EQ, 0, TLS_CLIENT_HELLO, to, next);
}

/* The names in a packet are not looked at here. As far as is known they are those asked for; under
 * a not, they are not: either way the whole lets through more. */
static void approximate(struct emitter *e, const struct filter_node *n, const uint32_t to[2],
			uint32_t next)
{
	e->code.exact = false;
	if (n->op == FILTER_SNI && !e->negative)
		client_hello(e, to, next);
	else
		constant(e, !e->negative, to, next);
}

static void judge(struct emitter *e, uint32_t at, const uint32_t to[2], uint32_t next);

static void inner(struct emitter *e, const struct filter_node *n, const uint32_t to[2],
		  uint32_t next)
{
	if (e->view) {
		constant(e, false, to, next);
		return;
	}
	e->view = sizeof(struct view);
	load_field(e, BPF_REG_0, offsetof(struct view, type), 2);
	jump(e, BPF_JMP32 | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, to[0]);
	judge(e, n->a, to, next);
	e->view = 0;
}

/* to: where to go if it does not hold, and if it does. */
static void judge(struct emitter *e, uint32_t at, const uint32_t to[2], uint32_t next)
{
	const struct filter_node *n = &e->nodes[at];
	uint32_t between;

	if (e->rc)
		return;
	switch (n->op) {
	case FILTER_FALSE:
	case FILTER_TRUE:
		constant(e, n->op == FILTER_TRUE, to, next);
		break;
	case FILTER_NOT:
		e->negative = !e->negative;
		judge(e, n->a, (const uint32_t[]){ to[1], to[0] }, next);
		e->negative = !e->negative;
		break;
	case FILTER_AND:
	case FILTER_OR:
		between = label(e);
		if (n->op == FILTER_AND)
			judge(e, n->a, (const uint32_t[]){ to[0], between }, between);
		else
			judge(e, n->a, (const uint32_t[]){ between, to[1] }, between);
		place(e, between);
		judge(e, n->b, to, next);
		break;
	case FILTER_FIELD:
		field(e, n, to, next);
		break;
	case FILTER_REL:
		relation(e, n, to, next);
		break;
	case FILTER_INNER:
		inner(e, n, to, next);
		break;
	case FILTER_SET:
		member(e, n, to, next);
		break;
	case FILTER_DNS:
	case FILTER_SNI:
		approximate(e, n, to, next);
		break;
	default:
		e->rc = -E2BIG;
		e->why = "not known to the kernel's programs";
	}
}

/* Code that nothing reaches is refused. */
static bool is_reached(const struct emitter *e, uint32_t to)
{
	for (size_t i = 0; i < e->njumps; i++)
		if (e->jumps[i].label == to)
			return true;
	return false;
}

static void answer(struct emitter *e, uint32_t at, uint32_t value)
{
	place(e, at);
	put(e, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, (int32_t)value);
	put(e, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void resolve(struct emitter *e)
{
	for (size_t i = 0; i < e->njumps && !e->rc; i++) {
		int32_t off = e->labels[e->jumps[i].label] - (int32_t)e->jumps[i].insn - 1;

		e->code.insns[e->jumps[i].insn].off = (int16_t)off;
	}
}

/* One filter: its answer ends the program, otherwise it goes on behind. False: it never does. */
static bool emit_rule(struct emitter *e, const struct filter_rule *rule)
{
	static const struct filter_node always = { .op = FILTER_TRUE };
	const struct filter *f = rule->filter;
	uint32_t root = f->nodes ? f->root : 0;

	e->nodes = f->nodes ? f->nodes : &always;
	e->sets = f->sets;
	e->no = label(e);
	e->yes = label(e);
	judge(e, root, (const uint32_t[]){ e->no, e->yes }, e->yes);
	if (e->nodes[root].op != FILTER_FALSE || is_reached(e, e->yes))
		answer(e, e->yes, rule->answer);
	if (!is_reached(e, e->no))
		return false;
	place(e, e->no);
	return true;
}

static void emit_all(struct emitter *e, const struct filter_rule *rules, size_t n,
		     uint32_t otherwise)
{
	put(e, BPF_ALU64 | BPF_MOV | BPF_X, R_VIEW, BPF_REG_1, 0, 0);
	put(e, BPF_ALU64 | BPF_MOV | BPF_X, R_PACKET, BPF_REG_2, 0, 0);
	if (e->flavour == FILTER_XDP)
		put(e, BPF_ALU64 | BPF_MOV | BPF_X, R_END, BPF_REG_3, 0, 0);
	for (size_t i = 0; i < n && !e->rc; i++) {
		e->rule = (uint16_t)i;
		if (!emit_rule(e, &rules[i]))
			return;
	}
	put(e, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, (int32_t)otherwise);
	put(e, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

int filter_emit_rules(const struct filter_rule *rules, size_t n, uint32_t otherwise,
		      enum filter_target flavour, struct filter_code *code, struct diag *diag)
{
	struct emitter e = { .flavour = flavour, .code.exact = true };

	emit_all(&e, rules, n, otherwise);
	resolve(&e);
	free(e.jumps);
	free(e.labels);
	if (e.rc) {
		filter_code_close(&e.code);
		if (e.why)
			snprintf(diag->msg, sizeof(diag->msg), "%s", e.why);
		diag->pos = 0;
		return e.rc;
	}
	*code = e.code;
	return 0;
}

int filter_emit(const struct filter *f, enum filter_target flavour, struct filter_code *code,
		struct diag *diag)
{
	const struct filter_rule rule = { f, 1 };

	return filter_emit_rules(&rule, 1, 0, flavour, code, diag);
}

void filter_code_close(struct filter_code *code)
{
	free(code->relocs);
	free(code->insns);
	*code = (struct filter_code){ 0 };
}
