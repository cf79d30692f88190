/* SPDX-License-Identifier: MIT */
/* A function's arguments and return value in the registers of kprobes and uprobes.
 *
 * Programs of that type may read the user's struct pt_regs (asm/ptrace.h), here an array of words,
 * by each architecture's calling convention. REG_ARGS arguments are in registers. */
#ifndef BPF_LIB_REGS_H
#define BPF_LIB_REGS_H

#include <linux/types.h>

#if defined(FOR_x86_64)
typedef __u64 reg_t;
enum { REG_ARG0 = 14, REG_ARG1 = 13, REG_ARG2 = 12, REG_ARG3 = 11, REG_ARG4 = 9, REG_ARG5 = 8 };
enum { REG_ARGS = 6, REG_RET = 10, REG_SP = 19 };
#elif defined(FOR_arm64)
typedef __u64 reg_t;
enum { REG_ARG0 = 0, REG_ARG1, REG_ARG2, REG_ARG3, REG_ARG4, REG_ARG5 };
enum { REG_ARGS = 6, REG_RET = 0, REG_SP = 31, REG_LINK = 30 };
#elif defined(FOR_riscv64)
typedef __u64 reg_t;
enum { REG_ARG0 = 10, REG_ARG1, REG_ARG2, REG_ARG3, REG_ARG4, REG_ARG5 };
enum { REG_ARGS = 6, REG_RET = 10, REG_SP = 2, REG_LINK = 1 };
#elif defined(FOR_armhf)
typedef __u32 reg_t;
enum { REG_ARG0 = 0, REG_ARG1, REG_ARG2, REG_ARG3, REG_ARG4 = 0, REG_ARG5 = 0 };
enum { REG_ARGS = 4, REG_RET = 0, REG_SP = 13, REG_LINK = 14 };
#elif defined(FOR_s390x)
/* gprs[2] is the third register, after a word and the two words of the program status word. */
typedef __u64 reg_t;
enum { REG_ARG0 = 5, REG_ARG1, REG_ARG2, REG_ARG3, REG_ARG4, REG_ARG5 = 0 };
enum { REG_ARGS = 5, REG_RET = 5, REG_SP = 18, REG_LINK = 17 };
#else
#error "registers of this architecture are not known"
#endif

#define ARG(ctx, n) ((__u64)((const reg_t *)(ctx))[REG_ARG##n])
#define RET(ctx)    ((__u64)((const reg_t *)(ctx))[REG_RET])
/* Return address at a function's entry, where a register holds it. */
#define LINK(ctx) ((__u64)((const reg_t *)(ctx))[REG_LINK])
#define SP(ctx)   ((__u64)((const reg_t *)(ctx))[REG_SP])

#endif
