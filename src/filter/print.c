/* SPDX-License-Identifier: MIT */
/* Prints a filter's code in the notation of the kernel verifier's log. */
#include "filter/emit.h"

static const char *operator_sign(uint8_t code)
{
	static const char *const signs[16] = {
		[BPF_ADD >> 4] = "+=",  [BPF_SUB >> 4] = "-=",  [BPF_MUL >> 4] = "*=",
		[BPF_DIV >> 4] = "/=",  [BPF_OR >> 4] = "|=",   [BPF_AND >> 4] = "&=",
		[BPF_LSH >> 4] = "<<=", [BPF_RSH >> 4] = ">>=", [BPF_MOD >> 4] = "%=",
		[BPF_XOR >> 4] = "^=",  [BPF_MOV >> 4] = "=",
	};

	return signs[code >> 4] ? signs[code >> 4] : "?";
}

static const char *condition_sign(uint8_t code)
{
	static const char *const signs[16] = {
		[BPF_JEQ >> 4] = "==", [BPF_JNE >> 4] = "!=", [BPF_JGT >> 4] = ">",
		[BPF_JGE >> 4] = ">=", [BPF_JLT >> 4] = "<",  [BPF_JLE >> 4] = "<=",
	};

	return signs[code >> 4] ? signs[code >> 4] : "?";
}

static const char *load_type(uint8_t code)
{
	static const char *const types[] = { "u32", "u16", "u8", "u64" };

	return types[BPF_SIZE(code) >> 3];
}

static void print_operand(struct buf *out, const struct bpf_insn *i, char letter)
{
	if (BPF_SRC(i->code) == BPF_X)
		buf_printf(out, "%c%d", letter, i->src_reg);
	else
		buf_printf(out, "%#x", (unsigned int)i->imm);
}

static void print_arith(struct buf *out, const struct bpf_insn *i)
{
	char letter = BPF_CLASS(i->code) == BPF_ALU ? 'w' : 'r';

	if (BPF_OP(i->code) == BPF_END) {
		buf_printf(out, "r%d = be%d r%d", i->dst_reg, i->imm, i->dst_reg);
	} else if (BPF_OP(i->code) == BPF_NEG) {
		buf_printf(out, "%c%d = -%c%d", letter, i->dst_reg, letter, i->dst_reg);
	} else {
		buf_printf(out, "%c%d %s ", letter, i->dst_reg, operator_sign(i->code));
		print_operand(out, i, letter);
	}
}

static const char *helper_name(int32_t number)
{
	switch (number) {
	case BPF_FUNC_skb_load_bytes:
		return "skb_load_bytes";
	default:
		return "?";
	}
}

static void print_call(struct buf *out, const struct filter_code *code, size_t at)
{
	for (size_t r = 0; r < code->nrelocs; r++) {
		const struct filter_reloc *set = &code->relocs[r];

		if (set->insn != at)
			continue;
		buf_printf(out, "call set %s, IPv%d", set->name, set->family == SET_IPV4 ? 4 : 6);
		return;
	}
	buf_printf(out, "call %s", helper_name(code->insns[at].imm));
}

static void print_jump(struct buf *out, const struct filter_code *code, size_t at)
{
	const struct bpf_insn *i = &code->insns[at];
	char letter = BPF_CLASS(i->code) == BPF_JMP32 ? 'w' : 'r';

	if (BPF_OP(i->code) == BPF_EXIT) {
		buf_str(out, "exit");
	} else if (BPF_OP(i->code) == BPF_CALL) {
		print_call(out, code, at);
	} else if (BPF_OP(i->code) == BPF_JA) {
		buf_printf(out, "goto %zu", at + 1 + (size_t)i->off);
	} else {
		buf_printf(out, "if %c%d %s ", letter, i->dst_reg, condition_sign(i->code));
		print_operand(out, i, letter);
		buf_printf(out, " goto %zu", at + 1 + (size_t)i->off);
	}
}

void filter_print(const struct filter_code *code, struct buf *out)
{
	for (size_t at = 0; at < code->n; at++) {
		const struct bpf_insn *i = &code->insns[at];

		buf_printf(out, "%4zu: ", at);
		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			buf_printf(out, "r%d = %#llx", i->dst_reg,
				   (unsigned long long)(uint32_t)i->imm |
					   (unsigned long long)(uint32_t)i[1].imm << 32);
			at++;
			break;
		case BPF_LDX:
			buf_printf(out, "r%d = *(%s *)(r%d %+d)", i->dst_reg, load_type(i->code),
				   i->src_reg, i->off);
			break;
		case BPF_STX:
			buf_printf(out, "*(%s *)(r%d %+d) = r%d", load_type(i->code), i->dst_reg,
				   i->off, i->src_reg);
			break;
		case BPF_JMP:
		case BPF_JMP32:
			print_jump(out, code, at);
			break;
		default:
			print_arith(out, i);
		}
		buf_char(out, '\n');
	}
}
