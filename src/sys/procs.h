/* SPDX-License-Identifier: MIT */
/* Processes and their sockets; procfs need not be mounted. */
#ifndef SYS_PROCS_H
#define SYS_PROCS_H

#include <stdint.h>

struct proc {
	uint32_t pid;
	char comm[16];
	uint64_t cgroup; /* id in the cgroup v2 hierarchy; 0: unknown */
};

/* Called for each IPv4 and IPv6 socket of a process, with a descriptor of it that is closed after
 * the call. A value other than 0 ends the walk and is returned. */
typedef int procs_each(const struct proc *p, int socket, void *arg);

/* Walks the sockets of all processes in the order of process ids. Returns 0, what each() returned,
 * or -errno if other processes cannot be examined: -EPERM (no CAP_SYS_PTRACE), -ENOSYS (before
 * Linux 5.6). Processes that end meanwhile are skipped. */
int procs_walk_sockets(procs_each *each, void *arg);

#endif
