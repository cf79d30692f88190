/* SPDX-License-Identifier: MIT */
/* Texts of megabytes that the kernel makes as they are read, line by line. */
#ifndef SYS_STREAM_H
#define SYS_STREAM_H

#include <stddef.h>

/* Called with each line, without its newline and not ended by NUL. A value other than 0 ends it and
 * is returned. */
typedef int stream_each(const char *line, size_t len, void *arg);
/* -errno; a line of more than 64 KiB ends it. */
int stream_lines(int fd, stream_each *each, void *arg);

#endif
