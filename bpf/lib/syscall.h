/* SPDX-License-Identifier: MIT */
/* Number and arguments of a system call, as the kernel keeps them until its end (sys_exit). */
#ifndef BPF_LIB_SYSCALL_H
#define BPF_LIB_SYSCALL_H

#include "bpf/lib/kernel.h"

#ifdef FOR_s390x
typedef struct {
	unsigned long mask;
} CORE psw_t;
#endif

#ifdef FOR_x86_64
struct thread_info {
	__u32 status;
} CORE;

struct task_struct___info {
	struct thread_info thread_info;
} CORE;
#endif

struct pt_regs {
#if defined(FOR_x86_64)
	unsigned long orig_ax, di, si, dx, r10, r8, r9;
#elif defined(FOR_arm64)
	int syscallno;
	unsigned long orig_x0, pstate, regs[31];
#elif defined(FOR_riscv64)
	unsigned long a7, orig_a0, a1, a2, a3, a4, a5;
#elif defined(FOR_s390x)
	unsigned int int_code;
	psw_t psw;
	unsigned long orig_gpr2, gprs[16];
#else
	unsigned long uregs[18];
#endif
} CORE;

#if defined(FOR_x86_64)
#define CALL_NR(r, to)   GET(false, to, (r)->orig_ax)
#define CALL_ARG0(r, to) GET(false, to, (r)->di)
#define CALL_ARG1(r, to) GET(false, to, (r)->si)
#define CALL_ARG2(r, to) GET(false, to, (r)->dx)
#define CALL_ARG3(r, to) GET(false, to, (r)->r10)
#define CALL_ARG4(r, to) GET(false, to, (r)->r8)
#define CALL_ARG5(r, to) GET(false, to, (r)->r9)
enum { NR_CONNECT = 42, NR_BIND = 49, NR_ACCEPT = 43, NR_ACCEPT4 = 288 };
#elif defined(FOR_arm64)
#define CALL_NR(r, to)   GET(false, *(int *)&(to), (r)->syscallno)
#define CALL_ARG0(r, to) GET(false, to, (r)->orig_x0)
#define CALL_ARG1(r, to) GET(false, to, (r)->regs[1])
#define CALL_ARG2(r, to) GET(false, to, (r)->regs[2])
#define CALL_ARG3(r, to) GET(false, to, (r)->regs[3])
#define CALL_ARG4(r, to) GET(false, to, (r)->regs[4])
#define CALL_ARG5(r, to) GET(false, to, (r)->regs[5])
enum { NR_CONNECT = 203, NR_BIND = 200, NR_ACCEPT = 202, NR_ACCEPT4 = 242 };
#elif defined(FOR_riscv64)
#define CALL_NR(r, to)   GET(false, to, (r)->a7)
#define CALL_ARG0(r, to) GET(false, to, (r)->orig_a0)
#define CALL_ARG1(r, to) GET(false, to, (r)->a1)
#define CALL_ARG2(r, to) GET(false, to, (r)->a2)
#define CALL_ARG3(r, to) GET(false, to, (r)->a3)
#define CALL_ARG4(r, to) GET(false, to, (r)->a4)
#define CALL_ARG5(r, to) GET(false, to, (r)->a5)
enum { NR_CONNECT = 203, NR_BIND = 200, NR_ACCEPT = 202, NR_ACCEPT4 = 242 };
#elif defined(FOR_s390x)
#define CALL_NR(r, to)                            \
	do {                                      \
		unsigned int code_ = 0;           \
		GET(false, code_, (r)->int_code); \
		(to) = code_ & 0xffff;            \
	} while (0)
#define CALL_ARG0(r, to) GET(false, to, (r)->orig_gpr2)
#define CALL_ARG1(r, to) GET(false, to, (r)->gprs[3])
#define CALL_ARG2(r, to) GET(false, to, (r)->gprs[4])
#define CALL_ARG3(r, to) GET(false, to, (r)->gprs[5])
#define CALL_ARG4(r, to) GET(false, to, (r)->gprs[6])
#define CALL_ARG5(r, to) GET(false, to, (r)->gprs[7])
enum { NR_CONNECT = 362, NR_BIND = 361, NR_ACCEPT = 364, NR_ACCEPT4 = 364 };
#else
#define CALL_NR(r, to)   GET(false, to, (r)->uregs[7])
#define CALL_ARG0(r, to) GET(false, to, (r)->uregs[17])
#define CALL_ARG1(r, to) GET(false, to, (r)->uregs[1])
#define CALL_ARG2(r, to) GET(false, to, (r)->uregs[2])
#define CALL_ARG3(r, to) GET(false, to, (r)->uregs[3])
#define CALL_ARG4(r, to) GET(false, to, (r)->uregs[4])
#define CALL_ARG5(r, to) GET(false, to, (r)->uregs[5])
enum { NR_CONNECT = 283, NR_BIND = 282, NR_ACCEPT = 285, NR_ACCEPT4 = 366 };
#endif

/* Returns true if a 32-bit program made the system call: its numbers mean other calls. */
static __always_inline bool is_compat(struct pt_regs *r)
{
#if defined(FOR_x86_64)
	struct task_struct___info *task = bpf_get_current_task();
	__u32 status = 0;

	(void)r;
	GET(false, status, task->thread_info.status);
	return status & 2; /* TS_COMPAT (asm/thread_info.h) */
#elif defined(FOR_arm64)
	unsigned long pstate = 0;

	GET(false, pstate, r->pstate);
	return pstate & 0x10; /* PSR_MODE32_BIT (asm/ptrace.h) */
#elif defined(FOR_s390x)
	unsigned long mask = 0;

	GET(false, mask, r->psw.mask);
	return !(mask & 0x100000000); /* PSW_MASK_EA (asm/ptrace.h) */
#else
	(void)r;
	return false;
#endif
}

#endif
