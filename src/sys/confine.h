/* SPDX-License-Identifier: MIT */
/* Drops the privileges that a live command does not need once its programs are attached. */
#ifndef SYS_CONFINE_H
#define SYS_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

/* Irrevocably restricts this process: keeps only these capabilities (PRIV() masks of sys/priv.h),
 * and allows only the system calls for reading maps, following interfaces over open sockets,
 * attaching to new interfaces and writing output; others fail with EPERM. files: also allows
 * opening files. Without seccomp in the kernel, only drops the capabilities. Returns 0 or
 * -errno. */
int confine_apply(uint64_t caps, bool files);
/* Like confine_apply(), but reports errors. Does nothing in a build with sanitizers. */
int confine_process(uint64_t caps, bool files);

#endif
