/* SPDX-License-Identifier: MIT */
/* System calls by name. */
#ifndef PROBE_SYSCALL_H
#define PROBE_SYSCALL_H

/* Name and number of this architecture's system call i; NULL after the last. */
const char *syscall_name(unsigned int i, int *number);

/* Returns the number of the system call whose tracepoints are sys_enter_NAME and sys_exit_NAME, or
 * -ENOENT. Does not report errors. */
int syscall_find(const char *tracepoint);

#endif
