/* SPDX-License-Identifier: MIT */
/* Kernel programs written by hand, one instruction per line. */
#ifndef TESTS_LIB_INSN_H
#define TESTS_LIB_INSN_H

#include <linux/bpf.h>

/* clang-format off */
#define INSN(c, d, s, o, i) { .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) }

#define I_MOV(d, i)		INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define I_MOV_REG(d, s)		INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define I_ADD(d, i)		INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define I_ADD_REG(d, s)		INSN(BPF_ALU64 | BPF_ADD | BPF_X, d, s, 0, 0)
#define I_AND(d, i)		INSN(BPF_ALU64 | BPF_AND | BPF_K, d, 0, 0, i)
#define I_RSH(d, i)		INSN(BPF_ALU64 | BPF_RSH | BPF_K, d, 0, 0, i)
#define I_LOAD(w, d, s, o)	INSN(BPF_LDX | BPF_MEM | (w), d, s, o, 0)
#define I_STORE(w, d, o, s)	INSN(BPF_STX | BPF_MEM | (w), d, s, o, 0)
#define I_JEQ(d, i, o)		INSN(BPF_JMP | BPF_JEQ | BPF_K, d, 0, o, i)
#define I_JNE(d, i, o)		INSN(BPF_JMP | BPF_JNE | BPF_K, d, 0, o, i)
#define I_JGT_REG(d, s, o)	INSN(BPF_JMP | BPF_JGT | BPF_X, d, s, o, 0)
#define I_CALL(f)		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define I_EXIT			INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* Two instructions. A struct spec_reloc for the first fills in a map. */
#define I_MAP(d)		INSN(BPF_LD | BPF_IMM | BPF_DW, d, 0, 0, 0), INSN(0, 0, 0, 0, 0)
/* r0: the first value of the array with this descriptor. Uses the top 4 bytes of the stack. */
#define I_FIRST_VALUE(fd)                                                                   \
	I_MOV(1, 0), I_STORE(BPF_W, 10, -4, 1), I_MOV_REG(2, 10), I_ADD(2, -4),              \
	INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0),   \
	I_CALL(BPF_FUNC_map_lookup_elem)
/* clang-format on */

/* The code of a struct spec, not packed. */
#define CODE(insns) .code = (insns), .code_len = sizeof(insns), .ninsns = ARRAY_LEN(insns)

#endif
