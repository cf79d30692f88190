/* SPDX-License-Identifier: MIT */
/* Network namespaces: setns(2) by pidfd or path, and the socket ioctl that names one's own. */
#define _GNU_SOURCE
#include "sys/netns.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C /* linux/sockios.h */
#endif

int netns_set(int fd)
{
	return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

static int enter_fd(long fd)
{
	int rc = fd < 0 ? -errno : netns_set((int)fd);

	if (fd >= 0)
		close((int)fd);
	return rc;
}

int netns_enter(const char *pid_or_path)
{
	char path[PATH_MAX], *end;
	unsigned long pid;

	if (*pid_or_path && strspn(pid_or_path, "0123456789") == strlen(pid_or_path)) {
		errno = 0;
		pid = strtoul(pid_or_path, &end, 10);
		if (errno || !pid || pid > INT_MAX)
			return -ESRCH;
		return enter_fd(syscall(SYS_pidfd_open, (int)pid, 0));
	}
	if (snprintf(path, sizeof(path), "%s%s", strchr(pid_or_path, '/') ? "" : "/run/netns/",
		     pid_or_path) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return enter_fd(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

int netns_unshare(void)
{
	return unshare(CLONE_NEWNET) < 0 ? -errno : 0;
}

/* /proc/self/ns/net is the usual way, but procfs need not be mounted. */
int netns_current(void)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), fd;

	if (sock < 0)
		return -errno;
	fd = ioctl(sock, SIOCGSKNS);
	if (fd < 0)
		fd = -errno;
	close(sock);
	return fd;
}

uint32_t netns_inode(void)
{
	int fd = netns_current();
	struct stat st;
	bool ok;

	if (fd < 0)
		return 0;
	ok = !fstat(fd, &st);
	close(fd);
	return ok ? (uint32_t)st.st_ino : 0;
}
