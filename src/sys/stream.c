/* SPDX-License-Identifier: MIT */
/* By pieces: what is cut off at the end of one is in front of the next. */
#include "sys/stream.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 16 };

int stream_lines(int fd, stream_each *each, void *arg)
{
	char *piece = malloc(PIECE);
	size_t have = 0;
	ssize_t got = 0;
	int rc = piece ? 0 : -ENOMEM;

	while (!rc && have < PIECE && (got = read(fd, piece + have, PIECE - have)) > 0) {
		char *at = piece, *end = piece + have + got, *nl;

		while (!rc && (nl = memchr(at, '\n', (size_t)(end - at)))) {
			rc = each(at, (size_t)(nl - at), arg);
			at = nl + 1;
		}
		have = (size_t)(end - at);
		memmove(piece, at, have);
	}
	if (!rc && got < 0)
		rc = -errno;
	free(piece);
	return rc;
}
