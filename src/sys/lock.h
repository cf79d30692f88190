/* SPDX-License-Identifier: MIT */
/* Named locks between processes, without a file. */
#ifndef SYS_LOCK_H
#define SYS_LOCK_H

/* Takes the lock. Returns a descriptor that holds it until it is closed, at the latest when the
 * process ends; -EBUSY: another process holds it. Names are per network namespace (unix(7),
 * abstract sockets) and per user. Without unix sockets in the kernel, every caller gets the
 * lock. */
int lock_take(const char *name);

#endif
