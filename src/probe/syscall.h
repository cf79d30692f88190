/* SPDX-License-Identifier: MIT */
/* System calls by name. */
#ifndef PROBE_SYSCALL_H
#define PROBE_SYSCALL_H

#include "probe/target.h"

/* Name and number of this architecture's system call i; NULL after the last. */
const char *syscall_name(unsigned int i, int *number);

/* For a target syscalls:sys_enter_NAME or syscalls:sys_exit_NAME finds the call's number and
 * whether it is probed at its return; other targets are left alone. Such a target is attached to
 * the raw tracepoint of all system calls. Returns 0 or -ENOENT. Reports errors. */
int syscall_find(struct target *t);

#endif
