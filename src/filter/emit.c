/* SPDX-License-Identifier: MIT */
/* Emits code for a filter's tree. Conditions become jumps, which leave as soon as the answer is
 * certain. Numbers are computed in r0; operands that are needed later go to slots on the stack. */
#include "filter/emit.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/array.h"
#include "net/tls.h"

enum {
	SLOTS_MAX = 7,       /* of 8 bytes for operands; one more is for bytes of an skb */
	LINEAR_MAX = 0x3fff, /* above any offset in an XDP packet's linear part */
	R_VIEW = BPF_REG_6,
	R_PACKET = BPF_REG_7,
	R_END = BPF_REG_8,
	UNPLACED = -1,
};

/* A jump whose offset is set once all labels are placed. */
struct jump {
	uint32_t insn, label;
};

struct emitter {
	const struct filter_node *nodes;
	const struct filter_set *sets;
	enum filter_target target;
	struct filter_code code;
	struct jump *jumps;
	size_t njumps, jump_room;
	int32_t *labels; /* the instruction after each label, or UNPLACED */
	size_t nlabels, label_room;
	uint16_t rule;                /* index of the filter that is being emitted */
	uint32_t no_label, yes_label; /* where it goes without and with a match */
	uint16_t view;                /* offset of the current view from R_VIEW */
	bool negated;                 /* within an odd number of nots */
	int nslots;                   /* slots in use */
	int rc;
	const char *error;
};

static void fail_too_long(struct emitter *e)
{
	e->rc = -E2BIG;
	e->error = "filter too long for one program: list addresses in a set";
}

static void emit_insn(struct emitter *e, uint8_t code, uint8_t dst, uint8_t src, int off,
		      int64_t imm)
{
	struct bpf_insn *at;

	if (e->code.n >= FILTER_INSNS_MAX) {
		fail_too_long(e);
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

static uint32_t new_label(struct emitter *e)
{
	int32_t *at = array_grow(e->labels, e->nlabels, &e->label_room, sizeof(*at));

	if (!at) {
		e->rc = -ENOMEM;
		return 0;
	}
	e->labels = at;
	at[e->nlabels] = UNPLACED;
	return (uint32_t)e->nlabels++;
}

static void place_label(struct emitter *e, uint32_t to)
{
	if (!e->rc)
		e->labels[to] = (int32_t)e->code.n;
}

/* A jump to a label; the operands are emit_insn()'s. */
static void emit_jump(struct emitter *e, uint8_t code, uint8_t dst, uint8_t src, int64_t imm,
		      uint32_t to)
{
	struct jump *at;

	if (e->njumps == FILTER_JUMPS_MAX) {
		fail_too_long(e);
		return;
	}
	at = array_grow(e->jumps, e->njumps, &e->jump_room, sizeof(*at));
	if (!at) {
		e->rc = -ENOMEM;
		return;
	}
	e->jumps = at;
	at[e->njumps++] = (struct jump){ (uint32_t)e->code.n, to };
	emit_insn(e, code, dst, src, 0, imm);
}

static void emit_imm64(struct emitter *e, uint8_t dst, uint64_t value)
{
	emit_insn(e, BPF_LD | BPF_IMM | BPF_DW, dst, 0, 0, (int32_t)(uint32_t)value);
	emit_insn(e, 0, 0, 0, 0, (int32_t)(uint32_t)(value >> 32));
}

static uint8_t size_bits(uint8_t size)
{
	return size == 1 ? BPF_B : size == 2 ? BPF_H : size == 4 ? BPF_W : BPF_DW;
}

static void emit_load_field(struct emitter *e, uint8_t dst, uint16_t field, uint8_t size)
{
	emit_insn(e, BPF_LDX | BPF_MEM | size_bits(size), dst, R_VIEW, e->view + field, 0);
}

static int slot_offset(int n)
{
	return -8 * (n + 1);
}

static void emit_number(struct emitter *e, uint32_t at);

/* Loads the big-endian number at r2, which need not be aligned, into r0. */
static void emit_load_bytes(struct emitter *e, uint8_t size)
{
	emit_insn(e, BPF_LDX | BPF_MEM | BPF_B, BPF_REG_0, BPF_REG_2, 0, 0);
	for (int i = 1; i < size; i++) {
		emit_insn(e, BPF_ALU | BPF_LSH | BPF_K, BPF_REG_0, 0, 0, 8);
		emit_insn(e, BPF_LDX | BPF_MEM | BPF_B, BPF_REG_1, BPF_REG_2, i, 0);
		emit_insn(e, BPF_ALU | BPF_OR | BPF_X, BPF_REG_0, BPF_REG_1, 0, 0);
	}
}

/* Returns where to go if the packet lacks bytes that the filter reads: it does not match. After an
 * approximation it goes on to user space, where the exact condition may decide before these bytes
 * are read. */
static uint32_t reject_label(const struct emitter *e)
{
	return e->code.exact ? e->no_label : e->yes_label;
}

/* Points r2 to offset r0 of the packet, with size bytes checked; goes to outside if the linear part
 * is shorter. Preserves r0. */
static void emit_linear_check(struct emitter *e, int size, uint32_t outside)
{
	emit_jump(e, BPF_JMP | BPF_JGT | BPF_K, BPF_REG_0, 0, LINEAR_MAX, outside);
	emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, R_PACKET, 0, 0);
	emit_insn(e, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_2, BPF_REG_0, 0, 0);
	emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_2, 0, 0);
	emit_insn(e, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, size);
	emit_jump(e, BPF_JMP | BPF_JGT | BPF_X, BPF_REG_1, R_END, 0, outside);
}

/* Copies size bytes of an skb at offset r0 to slot SLOTS_MAX; goes to outside if it is shorter. */
static void emit_skb_copy(struct emitter *e, int size, uint32_t outside)
{
	emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, R_PACKET, 0, 0);
	emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_0, 0, 0);
	emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_10, 0, 0);
	emit_insn(e, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_3, 0, 0, slot_offset(SLOTS_MAX));
	emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, size);
	emit_insn(e, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_skb_load_bytes);
	emit_jump(e, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 0, outside);
}

/* Loads the packet's bytes at (header + r0) into r0; goes to reject_label() if it is shorter. */
static void emit_packet_bytes(struct emitter *e, const struct filter_node *n)
{
	emit_load_field(e, BPF_REG_1, n->field, 2);
	emit_insn(e, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_0, BPF_REG_1, 0, 0);
	if (e->target == FILTER_XDP) {
		emit_linear_check(e, n->size, reject_label(e));
		emit_load_bytes(e, n->size);
		return;
	}
	emit_jump(e, BPF_JMP | BPF_JGT | BPF_K, BPF_REG_0, 0, INT32_MAX, reject_label(e));
	emit_skb_copy(e, n->size, reject_label(e));
	emit_insn(e, BPF_LDX | BPF_MEM | size_bits(n->size), BPF_REG_0, BPF_REG_10,
		  slot_offset(SLOTS_MAX), 0);
	if (n->size > 1)
		emit_insn(e, BPF_ALU | BPF_END | BPF_TO_BE, BPF_REG_0, 0, 0, n->size * 8);
}

/* r0 = r0 op r2. */
static void emit_arith(struct emitter *e, uint8_t op)
{
	uint8_t code = BPF_ALU | filter_ops[op].bpf | BPF_X;
	uint32_t small, done;

	if (op == FILTER_DIV || op == FILTER_MOD)
		emit_jump(e, BPF_JMP32 | BPF_JEQ | BPF_K, BPF_REG_2, 0, 0, reject_label(e));
	if (op != FILTER_LSH && op != FILTER_RSH) {
		emit_insn(e, code, BPF_REG_0, BPF_REG_2, 0, 0);
		return;
	}
	small = new_label(e);
	done = new_label(e);
	emit_jump(e, BPF_JMP32 | BPF_JLT | BPF_K, BPF_REG_2, 0, 32, small);
	emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	emit_jump(e, BPF_JMP | BPF_JA, 0, 0, 0, done);
	place_label(e, small);
	emit_insn(e, code, BPF_REG_0, BPF_REG_2, 0, 0);
	place_label(e, done);
}

/* Computes a into r0 and b into r2. */
static void emit_operands(struct emitter *e, uint32_t a, uint32_t b)
{
	emit_number(e, a);
	if (e->nodes[b].op == FILTER_NUM) {
		emit_insn(e, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_2, 0, 0,
			  (int32_t)(uint32_t)e->nodes[b].value);
		return;
	}
	if (e->nslots == SLOTS_MAX) {
		e->rc = -E2BIG;
		e->error = "arithmetic nested too deep: more than 7 pending operands";
		return;
	}
	emit_insn(e, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_0, slot_offset(e->nslots++),
		  0);
	emit_number(e, b);
	emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_0, 0, 0);
	emit_insn(e, BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_10, slot_offset(--e->nslots),
		  0);
}

/* Computes the number of a node into r0: 32 bits, the upper half zero. */
static void emit_number(struct emitter *e, uint32_t at)
{
	const struct filter_node *n = &e->nodes[at];

	if (e->rc)
		return;
	switch (n->op) {
	case FILTER_NUM:
		emit_insn(e, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0,
			  (int32_t)(uint32_t)n->value);
		break;
	case FILTER_LOAD:
		emit_load_field(e, BPF_REG_0, n->field, n->size);
		break;
	case FILTER_BYTE:
		emit_number(e, n->a);
		emit_packet_bytes(e, n);
		break;
	case FILTER_NEG:
		emit_number(e, n->a);
		emit_insn(e, BPF_ALU | BPF_NEG, BPF_REG_0, 0, 0, 0);
		break;
	default:
		emit_operands(e, n->a, n->b);
		emit_arith(e, n->op);
	}
}

/* The jump that is taken if the comparison holds (holds), or if it does not. */
static uint8_t jump_code(uint8_t cmp, bool holds)
{
	static const uint8_t codes[][2] = {
		[FILTER_EQ] = { BPF_JNE, BPF_JEQ }, [FILTER_NE] = { BPF_JEQ, BPF_JNE },
		[FILTER_GT] = { BPF_JLE, BPF_JGT }, [FILTER_GE] = { BPF_JLT, BPF_JGE },
		[FILTER_LT] = { BPF_JGE, BPF_JLT }, [FILTER_LE] = { BPF_JGT, BPF_JLE },
	};

	return codes[cmp][holds];
}

/* Goes to to[1] if the comparison of r0 holds, else to to[0]. next: the label that the caller
 * places right after it. */
static void emit_branch(struct emitter *e, uint8_t class_source, uint8_t cmp, uint8_t src,
			int64_t imm, const uint32_t to[2], uint32_t next)
{
	bool on = to[1] != next;

	emit_jump(e, class_source | jump_code(cmp, on), BPF_REG_0, src, imm, to[on]);
	if (to[!on] != next)
		emit_jump(e, BPF_JMP | BPF_JA, 0, 0, 0, to[!on]);
}

/* Branches even though the answer is known: the verifier refuses unreachable code. */
static void emit_constant(struct emitter *e, bool value, const uint32_t to[2], uint32_t next)
{
	emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
	emit_branch(e, BPF_JMP | BPF_K, FILTER_NE, 0, 0, to, next);
}

static void emit_field(struct emitter *e, const struct filter_node *n, const uint32_t to[2],
		       uint32_t next)
{
	uint64_t all = n->size == 8 ? UINT64_MAX : (UINT64_C(1) << n->size * 8) - 1;

	emit_load_field(e, BPF_REG_0, n->field, n->size);
	if (n->size < 8) {
		if (n->mask != all)
			emit_insn(e, BPF_ALU | BPF_AND | BPF_K, BPF_REG_0, 0, 0,
				  (int32_t)(uint32_t)n->mask);
		emit_branch(e, BPF_JMP32 | BPF_K, n->cmp, 0, (int32_t)(uint32_t)n->value, to, next);
		return;
	}
	if (n->mask != all) {
		emit_imm64(e, BPF_REG_1, n->mask);
		emit_insn(e, BPF_ALU64 | BPF_AND | BPF_X, BPF_REG_0, BPF_REG_1, 0, 0);
	}
	emit_imm64(e, BPF_REG_1, n->value);
	emit_branch(e, BPF_JMP | BPF_X, n->cmp, BPF_REG_1, 0, to, next);
}

static void emit_relation(struct emitter *e, const struct filter_node *n, const uint32_t to[2],
			  uint32_t next)
{
	if (e->nodes[n->b].op == FILTER_NUM) {
		emit_number(e, n->a);
		emit_branch(e, BPF_JMP32 | BPF_K, n->cmp, 0,
			    (int32_t)(uint32_t)e->nodes[n->b].value, to, next);
		return;
	}
	emit_operands(e, n->a, n->b);
	emit_branch(e, BPF_JMP32 | BPF_X, n->cmp, BPF_REG_2, 0, to, next);
}

/* Emits the call that looks an address up in one family of a set. */
static void emit_set_call(struct emitter *e, uint64_t set, enum set_family family)
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
	emit_insn(e, BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0);
}

/* Looks the address at n->field up in one family of the set. */
static void emit_set_lookup(struct emitter *e, const struct filter_node *n, enum set_family family,
			    const uint32_t to[2], uint32_t next)
{
	if (family == SET_IPV4) {
		emit_load_field(e, BPF_REG_1, n->field, 4);
	} else {
		emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, R_VIEW, 0, 0);
		emit_insn(e, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, e->view + n->field);
	}
	emit_set_call(e, n->value, family);
	emit_branch(e, BPF_JMP | BPF_K, FILTER_NE, 0, 0, to, next);
}

/* Emits no lookup for a family of which the set has no prefixes. */
static void emit_set(struct emitter *e, const struct filter_node *n, const uint32_t to[2],
		     uint32_t next)
{
	bool any[] = { e->sets[n->value].of[SET_IPV4].n, e->sets[n->value].of[SET_IPV6].n };
	uint32_t other = any[SET_IPV4] && any[SET_IPV6] ? new_label(e) : to[0];

	if (!any[SET_IPV4] && !any[SET_IPV6]) {
		emit_constant(e, false, to, next);
		return;
	}
	emit_load_field(e, BPF_REG_0, offsetof(struct view, addrs), 1);
	if (any[SET_IPV4]) {
		emit_jump(e, BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_0, 0, 4, other);
		emit_set_lookup(e, n, SET_IPV4, to, any[SET_IPV6] ? other : next);
	}
	if (any[SET_IPV4] && any[SET_IPV6])
		place_label(e, other);
	if (any[SET_IPV6]) {
		emit_jump(e, BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_0, 0, 6, to[0]);
		emit_set_lookup(e, n, SET_IPV6, to, next);
	}
}

/* Emits a test whether the payload starts as a TLS ClientHello does (RFC 8446 sec. 4.1.2, 5.1). */
static void emit_client_hello(struct emitter *e, const uint32_t to[2], uint32_t next)
{
	static const struct {
		int at, value;
	} bytes[] = { { 0, TLS_HANDSHAKE }, { 1, 3 }, { TLS_HEADERS_LEN - 1, TLS_CLIENT_HELLO } };
	uint8_t at = e->target == FILTER_XDP ? BPF_REG_2 : BPF_REG_10;
	int from = e->target == FILTER_XDP ? 0 : slot_offset(SLOTS_MAX);

	emit_load_field(e, BPF_REG_0, offsetof(struct view, payload), 2);
	if (e->target == FILTER_XDP) {
		/* A packet that goes on beyond the linear part may match. */
		emit_insn(e, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, R_VIEW,
			  offsetof(struct view, len), 0);
		emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_0, 0, 0);
		emit_insn(e, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, TLS_HEADERS_LEN);
		emit_jump(e, BPF_JMP | BPF_JGT | BPF_X, BPF_REG_1, BPF_REG_2, 0, to[0]);
		emit_linear_check(e, TLS_HEADERS_LEN, to[1]);
	} else {
		emit_skb_copy(e, TLS_HEADERS_LEN, to[0]);
	}
	for (int i = 0; i < 3; i++) {
		emit_insn(e, BPF_LDX | BPF_MEM | BPF_B, BPF_REG_0, at, from + bytes[i].at, 0);
		if (i < 2)
			emit_jump(e, BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_0, 0, bytes[i].value,
				  to[0]);
	}
	emit_branch(e, BPF_JMP32 | BPF_K, FILTER_EQ, 0, TLS_CLIENT_HELLO, to, next);
}

/* Conditions on names in the payload are not evaluated in the kernel: they count as true or, under
 * a "not", as false, so that the filter lets through every packet that may match. */
static void emit_approximation(struct emitter *e, const struct filter_node *n, const uint32_t to[2],
			       uint32_t next)
{
	e->code.exact = false;
	if (n->op == FILTER_SNI && !e->negated)
		emit_client_hello(e, to, next);
	else
		emit_constant(e, !e->negated, to, next);
}

static void emit_bool(struct emitter *e, uint32_t at, const uint32_t to[2], uint32_t next);

static void emit_inner(struct emitter *e, const struct filter_node *n, const uint32_t to[2],
		       uint32_t next)
{
	if (e->view) {
		emit_constant(e, false, to, next);
		return;
	}
	e->view = sizeof(struct view);
	emit_load_field(e, BPF_REG_0, offsetof(struct view, type), 2);
	emit_jump(e, BPF_JMP32 | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0, to[0]);
	emit_bool(e, n->a, to, next);
	e->view = 0;
}

/* Emits a condition. to: the labels for false and true; next: the label that the caller places
 * right after it. */
static void emit_bool(struct emitter *e, uint32_t at, const uint32_t to[2], uint32_t next)
{
	const struct filter_node *n = &e->nodes[at];
	uint32_t between;

	if (e->rc)
		return;
	switch (n->op) {
	case FILTER_FALSE:
	case FILTER_TRUE:
		emit_constant(e, n->op == FILTER_TRUE, to, next);
		break;
	case FILTER_NOT:
		e->negated = !e->negated;
		emit_bool(e, n->a, (const uint32_t[]){ to[1], to[0] }, next);
		e->negated = !e->negated;
		break;
	case FILTER_AND:
	case FILTER_OR:
		between = new_label(e);
		if (n->op == FILTER_AND)
			emit_bool(e, n->a, (const uint32_t[]){ to[0], between }, between);
		else
			emit_bool(e, n->a, (const uint32_t[]){ between, to[1] }, between);
		place_label(e, between);
		emit_bool(e, n->b, to, next);
		break;
	case FILTER_FIELD:
		emit_field(e, n, to, next);
		break;
	case FILTER_REL:
		emit_relation(e, n, to, next);
		break;
	case FILTER_INNER:
		emit_inner(e, n, to, next);
		break;
	case FILTER_SET:
		emit_set(e, n, to, next);
		break;
	default:
		if (filter_ops[n->op].approximate) {
			emit_approximation(e, n, to, next);
			break;
		}
		e->rc = -E2BIG;
		e->error = "operator not supported in the kernel";
	}
}

/* The verifier refuses unreachable code. */
static bool is_reached(const struct emitter *e, uint32_t to)
{
	for (size_t i = 0; i < e->njumps; i++)
		if (e->jumps[i].label == to)
			return true;
	return false;
}

static void emit_answer(struct emitter *e, uint32_t at, uint32_t value)
{
	place_label(e, at);
	emit_insn(e, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, (int32_t)value);
	emit_insn(e, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Sets the offsets of all jumps. */
static void resolve_jumps(struct emitter *e)
{
	for (size_t i = 0; i < e->njumps && !e->rc; i++) {
		int32_t off = e->labels[e->jumps[i].label] - (int32_t)e->jumps[i].insn - 1;

		e->code.insns[e->jumps[i].insn].off = (int16_t)off;
	}
}

/* Emits one filter: a match returns its answer, otherwise the code after it runs. Returns false if
 * it always matches, so no code may follow. */
static bool emit_rule(struct emitter *e, const struct filter_rule *rule)
{
	static const struct filter_node always = { .op = FILTER_TRUE };
	const struct filter *f = rule->filter;
	uint32_t root = f->nodes ? f->root : 0;

	e->nodes = f->nodes ? f->nodes : &always;
	e->sets = f->sets;
	e->no_label = new_label(e);
	e->yes_label = new_label(e);
	emit_bool(e, root, (const uint32_t[]){ e->no_label, e->yes_label }, e->yes_label);
	if (e->nodes[root].op != FILTER_FALSE || is_reached(e, e->yes_label))
		emit_answer(e, e->yes_label, rule->answer);
	if (!is_reached(e, e->no_label))
		return false;
	place_label(e, e->no_label);
	return true;
}

static void emit_filters(struct emitter *e, const struct filter_rule *rules, size_t n,
			 uint32_t default_answer)
{
	emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, R_VIEW, BPF_REG_1, 0, 0);
	emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, R_PACKET, BPF_REG_2, 0, 0);
	if (e->target == FILTER_XDP)
		emit_insn(e, BPF_ALU64 | BPF_MOV | BPF_X, R_END, BPF_REG_3, 0, 0);
	for (size_t i = 0; i < n && !e->rc; i++) {
		e->rule = (uint16_t)i;
		if (!emit_rule(e, &rules[i]))
			return;
	}
	emit_insn(e, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, (int32_t)default_answer);
	emit_insn(e, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

int filter_emit_rules(const struct filter_rule *rules, size_t n, uint32_t default_answer,
		      enum filter_target target, struct filter_code *code, struct diag *diag)
{
	struct emitter e = { .target = target, .code.exact = true };

	emit_filters(&e, rules, n, default_answer);
	resolve_jumps(&e);
	free(e.jumps);
	free(e.labels);
	if (e.rc) {
		filter_code_close(&e.code);
		if (e.error)
			snprintf(diag->msg, sizeof(diag->msg), "%s", e.error);
		diag->pos = 0;
		return e.rc;
	}
	*code = e.code;
	return 0;
}

int filter_emit(const struct filter *f, enum filter_target target, struct filter_code *code,
		struct diag *diag)
{
	const struct filter_rule rule = { f, 1 };

	return filter_emit_rules(&rule, 1, 0, target, code, diag);
}

void filter_code_close(struct filter_code *code)
{
	free(code->relocs);
	free(code->insns);
	*code = (struct filter_code){ 0 };
}
