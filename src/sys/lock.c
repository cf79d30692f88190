/* SPDX-License-Identifier: MIT */
/* A lock is an abstract unix socket: only one process at a time can bind a name. */
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

enum { BACKLOG = 4096, LISTEN_WAIT_MS = 50 };

static socklen_t make_address(const char *name, struct sockaddr_un *a)
{
	int n;

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "sonde/%s", name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

/* Reads the user id of the process that is bound to the address. -ECONNREFUSED: it does not listen
 * (yet). */
static int read_owner(const struct sockaddr_un *a, socklen_t len, uid_t *uid)
{
	struct ucred cred = { 0 };
	socklen_t size = sizeof(cred);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc = fd < 0 || connect(fd, (const struct sockaddr *)a, len) ||
				 getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size)
			 ? -errno
			 : 0;

	if (fd >= 0)
		close(fd);
	*uid = cred.uid;
	return rc;
}

/* Other users can bind the name, too. They must not be able to keep the lock from this user. */
static bool is_same_user(const struct sockaddr_un *a, socklen_t len)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	int rc = -ECONNREFUSED;
	uid_t uid = 0;

	for (int i = 0; i < LISTEN_WAIT_MS && rc == -ECONNREFUSED; i++) {
		if (i)
			nanosleep(&ms, NULL);
		rc = read_owner(a, len, &uid);
	}
	return !rc && uid == geteuid();
}

int lock_take(const char *name)
{
	struct sockaddr_un a;
	socklen_t len = make_address(name, &a);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return errno == EAFNOSUPPORT ? open("/", O_PATH | O_CLOEXEC) : -errno;
	if (!bind(fd, (struct sockaddr *)&a, len) && !listen(fd, BACKLOG))
		return fd;
	rc = errno == EADDRINUSE ? -EBUSY : -errno;
	if (rc == -EBUSY && !is_same_user(&a, len))
		return fd;
	close(fd);
	return rc;
}
