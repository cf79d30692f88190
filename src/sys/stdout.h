/* SPDX-License-Identifier: MIT */
/* Standard output of live commands: a slow or closed reader never delays the command's end. */
#ifndef SYS_STDOUT_H
#define SYS_STDOUT_H

#include <stdbool.h>
#include "base/buf.h"

/* Returns true if writes to fd never wait for a reader: a regular file, or a device other than a
 * terminal. Call it before confining the process, since it needs fstat(2). */
bool fd_never_blocks(int fd);

/* Writes all of *lines to standard output and empties it. never_blocks: the result of
 * fd_never_blocks(); if false, waits for the reader like wait_write(). Returns 0 or -errno. Reports
 * errors. */
int stdout_write(struct buf *lines, bool never_blocks);

#endif
