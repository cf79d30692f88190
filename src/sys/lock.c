/* SPDX-License-Identifier: MIT */
/* The name of an abstract socket: one process at a time can be bound to it. */
#define _GNU_SOURCE
#include "sys/lock.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int lock_take(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), n, rc;

	if (fd < 0)
		return errno == EAFNOSUPPORT ? open("/", O_PATH | O_CLOEXEC) : -errno;
	n = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "sonde/%s", name);
	if (!bind(fd, (struct sockaddr *)&a,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)))
		return fd;
	rc = errno == EADDRINUSE ? -EBUSY : -errno;
	close(fd);
	return rc;
}
