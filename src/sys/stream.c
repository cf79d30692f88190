/* SPDX-License-Identifier: MIT */
/* Reads in chunks; the incomplete last line of a chunk is moved to the start of the next. */
#include "sys/stream.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

int stream_lines(int fd, stream_each *each, void *arg)
{
	char *chunk = malloc(CHUNK);
	size_t kept = 0;
	ssize_t n = 0;
	int rc = chunk ? 0 : -ENOMEM;

	while (!rc && kept < CHUNK && (n = read(fd, chunk + kept, CHUNK - kept)) > 0) {
		char *at = chunk, *end = chunk + kept + n, *nl;

		while (!rc && (nl = memchr(at, '\n', (size_t)(end - at)))) {
			rc = each(at, (size_t)(nl - at), arg);
			at = nl + 1;
		}
		kept = (size_t)(end - at);
		memmove(chunk, at, kept);
	}
	if (!rc && n < 0)
		rc = -errno;
	free(chunk);
	return rc;
}
