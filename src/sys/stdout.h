/* SPDX-License-Identifier: MIT */
/* Standard output of live commands: a slow or closed reader never blocks the command's end. */
#ifndef SYS_STDOUT_H
#define SYS_STDOUT_H

#include <stdbool.h>
#include "base/buf.h"

/* Writing to this descriptor never waits for a reader: a regular file, or a device that is no
 * terminal. Ask before confining the process: it takes fstat(2). */
bool fd_never_blocks(int fd);

/* Write all of *lines to standard output and empty it. never_blocks is fd_never_blocks()'s answer;
 * otherwise the write waits for the reader as wait_write() does. 0 or -errno. Reports errors. */
int stdout_write(struct buf *lines, bool never_blocks);

#endif
