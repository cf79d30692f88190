/* SPDX-License-Identifier: MIT */
/* Writes regular files at once, pipes and terminals as fast as their reader reads. */
#include "sys/stdout.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/err.h"
#include "sys/wait.h"

bool fd_never_blocks(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && (S_ISREG(st.st_mode) || (S_ISCHR(st.st_mode) && !isatty(fd)));
}

int stdout_write(struct buf *lines, bool never_blocks)
{
	size_t done;
	int rc;

	if (!lines->len && !lines->nomem)
		return 0;
	if (never_blocks || lines->nomem)
		rc = buf_write(lines, STDOUT_FILENO);
	else
		rc = wait_write(STDOUT_FILENO, lines->data, lines->len, &done);
	buf_clear(lines);
	if (rc == -EPIPE)
		return fail(rc, "standard output: the reader is gone");
	if (rc == -EINTR)
		return fail(rc, "standard output: the reader has stopped reading");
	return rc ? fail_errno(rc, "standard output") : 0;
}
