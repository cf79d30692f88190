/* SPDX-License-Identifier: MIT */
/* A lock that several processes agree on by its name, without a file. */
#ifndef SYS_LOCK_H
#define SYS_LOCK_H

/* Take it: a descriptor that holds it until it is closed, however the process ends; -EBUSY: another
 * process has it. Names hold within a network namespace (unix(7), abstract sockets), among
 * processes of the same user. Where there are no such sockets, everybody gets it. */
int lock_take(const char *name);

#endif
