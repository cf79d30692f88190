/* SPDX-License-Identifier: MIT */
/* The name of an abstract socket: one process at a time can be bound to it. */
#define _GNU_SOURCE
#include "sys/lock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 4096, PATIENCE_MS = 50 };

static socklen_t address_of(const char *name, struct sockaddr_un *a)
{
	int n;

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "sonde/%s", name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

/* The user of whoever is bound there. -ECONNREFUSED: it does not listen (yet). */
static int owner_of(const struct sockaddr_un *a, socklen_t len, uid_t *uid)
{
	struct ucred who = { 0 };
	socklen_t size = sizeof(who);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc = fd < 0 || connect(fd, (const struct sockaddr *)a, len) ||
				 getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size)
			 ? -errno
			 : 0;

	if (fd >= 0)
		close(fd);
	*uid = who.uid;
	return rc;
}

/* Others can bind to the name, too, but not keep off whoever may do more than they. */
static bool is_respected(const struct sockaddr_un *a, socklen_t len)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	int rc = -ECONNREFUSED;
	uid_t uid = 0;

	for (int i = 0; i < PATIENCE_MS && rc == -ECONNREFUSED; i++) {
		if (i)
			nanosleep(&ms, NULL);
		rc = owner_of(a, len, &uid);
	}
	return !rc && uid == geteuid();
}

int lock_take(const char *name)
{
	struct sockaddr_un a;
	socklen_t len = address_of(name, &a);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return errno == EAFNOSUPPORT ? open("/", O_PATH | O_CLOEXEC) : -errno;
	if (!bind(fd, (struct sockaddr *)&a, len) && !listen(fd, BACKLOG))
		return fd;
	rc = errno == EADDRINUSE ? -EBUSY : -errno;
	if (rc == -EBUSY && !is_respected(&a, len))
		return fd;
	close(fd);
	return rc;
}
