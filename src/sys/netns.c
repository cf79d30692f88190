/* SPDX-License-Identifier: MIT */
/* Network namespaces: setns(2) by pidfd or path; an ioctl on a socket gets the current one. */
#define _GNU_SOURCE
#include "sys/netns.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
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
#include "sys/mnt.h"

#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C /* linux/sockios.h */
#endif

int netns_set(int fd)
{
	return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

static int enter_and_close(long fd)
{
	int rc = fd < 0 ? -errno : netns_set((int)fd);

	if (fd >= 0)
		close((int)fd);
	return rc;
}

/* Returns the process id; 0: text is a path; -ESRCH: a number that is no process id. */
static int read_pid(const char *text)
{
	unsigned long pid;

	if (!*text || strspn(text, "0123456789") != strlen(text))
		return 0;
	errno = 0;
	pid = strtoul(text, NULL, 10);
	return errno || !pid || pid > INT_MAX ? -ESRCH : (int)pid;
}

static int open_ns_path(const char *name)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : "/run/netns/", name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	return fd;
}

int netns_enter(const char *pid_or_path)
{
	int pid = read_pid(pid_or_path), fd;

	if (pid < 0)
		return pid;
	if (pid)
		return enter_and_close(syscall(SYS_pidfd_open, pid, 0));
	fd = open_ns_path(pid_or_path);
	return fd < 0 ? fd : enter_and_close(fd);
}

int netns_inode(const char *pid_or_path, uint32_t *inode)
{
	int pid = read_pid(pid_or_path), fd = pid, rc;
	struct stat st;
	char path[32];

	if (pid > 0) {
		snprintf(path, sizeof(path), "%d/ns/net", pid);
		fd = mnt_open("proc", "/proc", path);
		if (fd == -ENOENT)
			return -ESRCH;
	} else if (!pid) {
		fd = open_ns_path(pid_or_path);
	}
	if (fd < 0)
		return fd;
	rc = ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET ? 0 : -EINVAL;
	if (!rc && fstat(fd, &st) < 0)
		rc = -errno;
	if (!rc)
		*inode = (uint32_t)st.st_ino;
	close(fd);
	return rc;
}

int netns_unshare(void)
{
	return unshare(CLONE_NEWNET) < 0 ? -errno : 0;
}

/* Not through /proc/self/ns/net: procfs need not be mounted. */
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

uint32_t netns_current_inode(void)
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
