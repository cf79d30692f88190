/* SPDX-License-Identifier: MIT */
/* System calls by their names. */
#ifndef PROBE_CALL_H
#define PROBE_CALL_H

#include "probe/target.h"

/* The system calls of this architecture; number i's name, NULL behind the last. */
const char *call_name(unsigned int i, int *number);

/* A target of "syscalls:sys_enter_NAME" or sys_exit_NAME: its call's number, and whether it
 * returns. What such a tracepoint hears is all system calls'. Of others nothing is done. 0 or
 * -ENOENT, said. */
int call_find(struct target *t);

#endif
