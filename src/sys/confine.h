/* SPDX-License-Identifier: MIT */
/* Giving up what a live command does not need once its programs are attached. */
#ifndef SYS_CONFINE_H
#define SYS_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

/* For good: keep only these capabilities (PRIV()s of sys/priv.h), and of the system calls those
 * that reading maps, following interfaces over sockets that are open, attaching to new ones, and
 * writing the answer take; any other is answered with EPERM. A kernel without seccomp filters
 * leaves it at the capabilities. files: opening them stays allowed, too. 0 or -errno. */
int confine(uint64_t caps, bool files);
/* The same; reports errors. Does nothing in a build with sanitizers. */
int confine_process(uint64_t caps, bool files);

#endif
