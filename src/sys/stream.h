/* SPDX-License-Identifier: MIT */
/* Reads large text files of the kernel, which are generated while being read, line by line. */
#ifndef SYS_STREAM_H
#define SYS_STREAM_H

#include <stddef.h>

/* Called with each line, without its newline and not NUL-terminated. A value other than 0 ends the
 * reading and is returned. */
typedef int stream_each(const char *line, size_t len, void *arg);
/* Reads all lines. Returns 0, the value with which each() ended the reading, or -errno. Stops
 * without an error at a line over 64 KiB. */
int stream_lines(int fd, stream_each *each, void *arg);

#endif
