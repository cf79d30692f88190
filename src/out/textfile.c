/* SPDX-License-Identifier: MIT */
/* Writes a new file in the same directory and renames it over the old one. */
#define _GNU_SOURCE
#include "out/textfile.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int textfile_open(struct textfile *f, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char dir[4096];
	int fd;

	if (!*name || strlen(name) >= sizeof(f->name) || strlen(path) >= sizeof(dir))
		return *name ? -ENAMETOOLONG : -EISDIR;
	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	f->dir_fd = fd;
	f->path = path;
	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(f->temp, sizeof(f->temp), ".%.240s.%d.tmp", name, getpid());
	return 0;
}

int textfile_write(const struct textfile *f, const struct buf *text)
{
	int fd, rc;

	unlinkat(f->dir_fd, f->temp, 0); /* left by a killed process with the same process id */
	fd = openat(f->dir_fd, f->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	rc = buf_write(text, fd);
	if (close(fd) < 0 && !rc)
		rc = -errno;
	if (!rc && renameat(f->dir_fd, f->temp, f->dir_fd, f->name) < 0)
		rc = -errno;
	if (rc)
		unlinkat(f->dir_fd, f->temp, 0);
	return rc;
}

void textfile_close(struct textfile *f)
{
	if (f->dir_fd)
		close(f->dir_fd);
	*f = (struct textfile){ 0 };
}
