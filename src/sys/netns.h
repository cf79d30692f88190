/* SPDX-License-Identifier: MIT */
/* Network namespaces; needs neither procfs nor iproute2. */
#ifndef SYS_NETNS_H
#define SYS_NETNS_H

#include <stdint.h>

/* Moves this thread into the namespace of a process id or path ("/run/netns/x", or "x" for that
 * path). Returns 0 or -errno: -ESRCH, -ENOENT, -EINVAL (not a network namespace), -EPERM. */
int netns_enter(const char *pid_or_path);

/* Gets the inode number of a namespace, by which the kernel identifies it. -ESRCH: no such process;
 * -ENOENT, -EINVAL as above. */
int netns_inode(const char *pid_or_path, uint32_t *inode);

/* Moves this thread into a new network namespace. */
int netns_unshare(void);

/* Returns a descriptor of this thread's namespace; the caller closes it. */
int netns_current(void);

/* Returns the inode number of this thread's namespace, as stat(2) and ip-netns(8) show it; 0:
 * unknown. */
uint32_t netns_current_inode(void);

/* Moves this thread into the namespace of a descriptor. */
int netns_set(int fd);

#endif
