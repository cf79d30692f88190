/* SPDX-License-Identifier: MIT */
/* The processes of this host and the sockets they hold, without a mounted procfs. */
#ifndef SYS_PROCS_H
#define SYS_PROCS_H

#include <stdint.h>

struct proc {
	uint32_t pid;
	char comm[16];
	uint64_t cgroup; /* id in the cgroup v2 hierarchy; 0: unknown */
};

/* Called for each IPv4 and IPv6 socket that a process holds, with a descriptor of it that is closed
 * after the call. A value other than 0 ends it and is returned. */
typedef int procs_each(const struct proc *p, int socket, void *arg);

/* All of them, in the order of the processes' numbers. 0; what each() returned; -errno if there is
 * no looking: -EPERM (CAP_SYS_PTRACE), -ENOSYS (before Linux 5.6). A process that ends meanwhile is
 * passed over. */
int procs_walk_sockets(procs_each *each, void *arg);

#endif
