/* SPDX-License-Identifier: MIT */
/* Confinement by capset(2) and a seccomp(2) filter. */
#include "sys/confine.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "base/array.h"
#include "base/err.h"
#include "sys/priv.h"

#if defined(__x86_64__)
#define AUDIT_ARCH_NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define AUDIT_ARCH_NATIVE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define AUDIT_ARCH_NATIVE AUDIT_ARCH_RISCV64
#elif defined(__arm__)
#define AUDIT_ARCH_NATIVE AUDIT_ARCH_ARM
#elif defined(__s390x__)
#define AUDIT_ARCH_NATIVE AUDIT_ARCH_S390X
#endif

#ifdef AUDIT_ARCH_NATIVE

/* System calls that some architectures lack or have under another name; the alternative is listed
 * too. 32-bit C libraries try the call with 64-bit time first. */
#ifndef SYS_poll
#define SYS_poll SYS_ppoll
#endif
#ifndef SYS_mmap
#define SYS_mmap SYS_mmap2
#endif
#ifndef SYS_clock_gettime
#define SYS_clock_gettime SYS_clock_gettime32
#endif
#ifndef SYS_clock_gettime64
#define SYS_clock_gettime64 SYS_clock_gettime
#endif
#ifndef SYS_fcntl64
#define SYS_fcntl64 SYS_fcntl
#endif
#ifndef SYS_ftruncate64
#define SYS_ftruncate64 SYS_ftruncate
#endif
#ifndef SYS_open
#define SYS_open SYS_openat
#endif
#ifndef SYS_statx
#define SYS_statx SYS_openat
#endif
#ifndef SYS_renameat
#define SYS_renameat SYS_renameat2
#endif
#ifndef SYS_newfstatat
#define SYS_newfstatat SYS_statx
#endif
#ifndef SYS_fstatat64
#define SYS_fstatat64 SYS_newfstatat
#endif
#ifndef SYS_stat
#define SYS_stat SYS_newfstatat
#endif
#ifndef SYS_stat64
#define SYS_stat64 SYS_stat
#endif
#ifndef SYS__llseek
#define SYS__llseek SYS_lseek
#endif
#ifndef SYS_sigreturn
#define SYS_sigreturn SYS_rt_sigreturn
#endif

/* restart_syscall: poll(2) continues with it after the process was stopped and continued. */
/* clang-format off */
static const uint16_t allowed[] = {
	SYS_bpf, SYS_read, SYS_write, SYS_writev, SYS_close, SYS_ioctl, SYS_fcntl, SYS_fcntl64,
	SYS_ftruncate, SYS_ftruncate64, SYS_setsockopt, SYS_sendto, SYS_recvmsg, SYS_recvfrom,
	SYS_poll, SYS_ppoll, SYS_restart_syscall,
	SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mprotect, SYS_futex,
	SYS_clock_gettime, SYS_clock_gettime64, SYS_nanosleep,
	SYS_rt_sigreturn, SYS_sigreturn, SYS_rt_sigprocmask,
	SYS_prlimit64, SYS_capget, SYS_exit, SYS_exit_group,
};
/* clang-format on */

/* Also allowed where files are read. */
/* clang-format off */
static const uint16_t allowed_files[] = {
	SYS_openat, SYS_open, SYS_pread64, SYS_lseek, SYS__llseek, SYS_renameat, SYS_unlinkat,
	SYS_stat, SYS_stat64, SYS_newfstatat, SYS_fstatat64, SYS_statx,
};
/* clang-format on */

enum {
	NALLOWED = ARRAY_LEN(allowed),
	NALLOWED_FILES = ARRAY_LEN(allowed_files),
	PROLOGUE_LEN = 4,
	EPILOGUE_LEN = 2,
};

static int install_seccomp(bool files)
{
	struct sock_filter code[PROLOGUE_LEN + NALLOWED + NALLOWED_FILES + EPILOGUE_LEN] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_NATIVE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_filter *at = code + PROLOGUE_LEN;
	int n = NALLOWED + (files ? NALLOWED_FILES : 0);
	struct sock_fprog prog = { .len = (uint16_t)(PROLOGUE_LEN + n + EPILOGUE_LEN),
				   .filter = code };

	/* A match jumps past the rest of the list and the refusal. */
	for (int i = 0; i < n; i++) {
		uint16_t nr = i < NALLOWED ? allowed[i] : allowed_files[i - NALLOWED];

		*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr,
						     (uint8_t)(n - i), 0);
	}
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0 ? -errno : 0;
}

#else

static int install_seccomp(bool files)
{
	(void)files;
	return -EINVAL; /* the system calls of this architecture are not in the list above */
}

#endif

int confine_apply(uint64_t caps, bool files)
{
	int rc = priv_keep(caps);

	if (rc)
		return rc;
	rc = install_seccomp(files);
	return rc == -EINVAL || rc == -ENOSYS ? 0 : rc;
}

/* Sanitizers make system calls of their own, which the filter would refuse. */
int confine_process(uint64_t caps, bool files)
{
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
	return 0;
#endif
#endif
	int rc = confine_apply(caps, files);

	return rc ? fail_errno(rc, "giving up privileges") : 0;
}
