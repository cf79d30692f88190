/* SPDX-License-Identifier: MIT */
/* Processes as descriptors, to wait for their end. */
#ifndef SYS_PIDFD_H
#define SYS_PIDFD_H

#include <stdbool.h>
#include <stdint.h>

/* Opens a descriptor that is readable once the process has ended (pidfd_open(2)); the caller closes
 * it. Returns -errno on failure: -ESRCH: no such process; -EINVAL: pid is a thread. */
int pidfd_open_process(uint32_t pid);
/* Returns true if the process has ended. */
bool pidfd_has_ended(int fd);

/* Returns true if this process is in the initial PID namespace: then kernel programs see the same
 * process ids. True also if the kernel does not report the namespace. */
bool pidfd_is_initial_namespace(void);

#endif
