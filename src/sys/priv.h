/* SPDX-License-Identifier: MIT */
/* What this process may do: capabilities, lockdown, limits. */
#ifndef SYS_PRIV_H
#define SYS_PRIV_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRIV(cap) (UINT64_C(1) << (cap))

/* The effective capabilities, a bit each. */
uint64_t priv_caps(void);
/* Of the capabilities in want, the names of those that are missing ("CAP_BPF, CAP_NET_ADMIN"); ""
 * if none is. CAP_SYS_ADMIN stands in for CAP_BPF and CAP_PERFMON, as in the kernel. */
const char *priv_missing(uint64_t want, char *buf, size_t len);
/* Keep only the capabilities in keep, for good. */
int priv_keep(uint64_t keep);

enum lockdown { LOCKDOWN_UNKNOWN, LOCKDOWN_NONE, LOCKDOWN_INTEGRITY, LOCKDOWN_CONFIDENTIALITY };
/* kernel_lockdown(7), read from securityfs (a detached one if need be). */
enum lockdown priv_lockdown(void);
extern const char *const lockdown_names[];

/* Lift RLIMIT_MEMLOCK, which kernels before 5.11 charge maps and programs to. Failure shows in the
 * next call. bpf_map_create() and bpf_prog_load() do it when they have to. */
void priv_lift_memlock(void);
/* Whether -EPERM for a map or a program may come of that limit: this kernel charges it, and the
 * limit is not lifted. By the kernel's version, since no call tells it from other refusals. */
bool priv_memlock_counts(void);

/* Let this process hold as many descriptors as it may: an interface takes about eight. */
void priv_lift_files(void);

/* Load a module of this kernel by its path below kernel/ without its ending ("net/sched/cls_bpf")
 * from /lib/modules. 0 also if it was loaded already; -ENOENT: no such file. */
int priv_load_module(const char *path);

#endif
