/* SPDX-License-Identifier: MIT */
/* Contract of the sockets' owners: the process that created a socket, stored with the socket. */
#ifndef BPF_OWNER_H
#define BPF_OWNER_H

#include <linux/types.h>

enum { OWNER_COMM = 16, OWNER_OPTIONS = 104 };

/* Value of map `owners` (socket storage). An accepted socket inherits its listener's. */
struct owner {
	__u64 cgroup; /* id of the process's cgroup at that time */
	__u32 pid;    /* in the initial PID namespace */
	__u32 len;    /* bytes of options */
	__u8 comm[OWNER_COMM];
	/* The options of a pcapng packet block, ready to copy: the process id and the comment
	 * "process: COMM[PID]" (net/capfile/capfile.h), each padded to 4 bytes. */
	__u8 options[OWNER_OPTIONS];
};
_Static_assert(sizeof(struct owner) == 136, "owner is a contract");

#endif
