/* SPDX-License-Identifier: MIT */
/* Network namespaces without procfs or iproute2. */
#ifndef SYS_NETNS_H
#define SYS_NETNS_H

#include <stdint.h>

/* Move this thread into the namespace named by a process id or a path ("/run/netns/x", or "x" if
 * that has no slash and stands in /run/netns). 0 or -errno: -ESRCH, -ENOENT, -EINVAL (not a network
 * namespace), -EPERM. */
int netns_enter(const char *pid_or_path);

/* The inode number of a namespace named so, which is what the kernel calls it by. -ESRCH: no such
 * process; -ENOENT, -EINVAL as above. */
int netns_inode(const char *pid_or_path, uint32_t *inode);

/* Move this thread into a fresh network namespace. */
int netns_unshare(void);

/* A descriptor of the namespace that this thread is in; the caller closes it. */
int netns_current(void);

/* The number of the namespace that this thread is in, as stat(2) of its file and ip-netns(8) have
 * it; 0: unknown. */
uint32_t netns_current_inode(void);

/* Move this thread into the namespace of a descriptor. */
int netns_set(int fd);

#endif
