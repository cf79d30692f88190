/* SPDX-License-Identifier: MIT */
/* Privileges of this process: capabilities, lockdown, limits. */
#ifndef SYS_PRIV_H
#define SYS_PRIV_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRIV(cap) (UINT64_C(1) << (cap))

/* Returns the effective capabilities as a mask of PRIV() bits. */
uint64_t priv_caps(void);
/* Writes the names of the required capabilities that are missing to buf ("CAP_BPF, CAP_NET_ADMIN";
 * "" if none) and returns buf. CAP_SYS_ADMIN implies CAP_BPF and CAP_PERFMON, as in the kernel. */
const char *priv_missing(uint64_t required, char *buf, size_t len);
/* Irrevocably drops all capabilities but those in keep. Returns 0 or -errno. */
int priv_keep(uint64_t keep);

enum lockdown { LOCKDOWN_UNKNOWN, LOCKDOWN_NONE, LOCKDOWN_INTEGRITY, LOCKDOWN_CONFIDENTIALITY };
/* Returns the lockdown mode (kernel_lockdown(7)) from securityfs, through a detached mount if
 * needed. */
enum lockdown priv_lockdown(void);
extern const char *const lockdown_names[];

/* Raises RLIMIT_MEMLOCK, which kernels before 5.11 charge maps and programs to. bpf_map_create()
 * and bpf_prog_load() call it when needed and then retry. */
void priv_lift_memlock(void);
/* Returns true if -EPERM for a map or a program can result from that limit: this kernel charges it
 * and the limit is not raised. Decides by the kernel's version, since no call shows the
 * difference. */
bool priv_memlock_counts(void);

/* Raises the limit of open files to the hard limit: each interface needs about eight
 * descriptors. */
void priv_lift_files(void);

/* Loads a kernel module from /lib/modules, given its path below kernel/ without suffix
 * ("net/sched/cls_bpf"). Returns 0 also if it is loaded already; -ENOENT: no such file. */
int priv_load_module(const char *path);

#endif
