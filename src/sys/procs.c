/* SPDX-License-Identifier: MIT */
/* proc(5) for who there is, pidfd_getfd(2) for what they hold. */
#define _GNU_SOURCE
#include "sys/procs.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "sys/mnt.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

/* A look at all processes. */
struct walk {
	int proc, cgroups; /* directories; cgroups: -errno if there are none */
	procs_each *each;
	void *arg;
};

/* One that is looked at. What is only needed of those with sockets is read with the first. */
struct holder {
	struct proc p;
	int pidfd;
};

static void read_file(int dir, uint32_t pid, const char *name, char *buf, size_t len)
{
	char path[32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%u/%s", pid, name);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, buf, len - 1);
	buf[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* The id of a cgroup is its directory's inode number. */
static uint64_t cgroup_of(const struct walk *w, uint32_t pid)
{
	char text[4096], *at, *end;
	struct stat st;

	if (w->cgroups < 0)
		return 0;
	read_file(w->proc, pid, "cgroup", text, sizeof(text));
	at = strncmp(text, "0::/", 4) ? strstr(text, "\n0::/") : text;
	if (!at)
		return 0;
	at = strchr(at, '/') + 1;
	end = strchr(at, '\n');
	if (end)
		*end = '\0';
	return fstatat(w->cgroups, *at ? at : ".", &st, 0) ? 0 : st.st_ino;
}

static bool is_inet(int fd)
{
	int family = 0;
	socklen_t len = sizeof(family);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) &&
	       (family == AF_INET || family == AF_INET6);
}

/* The first socket decides whether the process can be looked into. */
static int open_holder(const struct walk *w, struct holder *h)
{
	if (h->pidfd)
		return 0;
	h->pidfd = (int)syscall(SYS_pidfd_open, h->p.pid, 0);
	if (h->pidfd < 0) {
		int rc = -errno;

		h->pidfd = 0;
		return rc;
	}
	read_file(w->proc, h->p.pid, "comm", h->p.comm, sizeof(h->p.comm));
	h->p.comm[strcspn(h->p.comm, "\n")] = '\0';
	h->p.cgroup = cgroup_of(w, h->p.pid);
	return 0;
}

static int take(const struct walk *w, struct holder *h, int number)
{
	int rc = open_holder(w, h), fd;

	if (rc)
		return rc;
	fd = (int)syscall(SYS_pidfd_getfd, h->pidfd, number, 0);
	if (fd < 0)
		return errno == EBADF ? 0 : -errno; /* closed meanwhile */
	rc = is_inet(fd) ? w->each(&h->p, fd, w->arg) : 0;
	close(fd);
	return rc;
}

static int walk_fds(const struct walk *w, struct holder *h, DIR *fds)
{
	struct dirent *e;
	int rc = 0;

	while (!rc && (e = readdir(fds))) {
		char target[16];
		ssize_t n = readlinkat(dirfd(fds), e->d_name, target, sizeof(target));

		if (n > 8 && !memcmp(target, "socket:[", 8))
			rc = take(w, h, atoi(e->d_name));
	}
	return rc;
}

static int walk_process(const struct walk *w, uint32_t pid)
{
	struct holder h = { .p.pid = pid };
	char path[32];
	DIR *fds;
	int fd, rc;

	snprintf(path, sizeof(path), "%u/fd", pid);
	fd = openat(w->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds = fd < 0 ? NULL : fdopendir(fd);
	if (!fds) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	rc = walk_fds(w, &h, fds);
	closedir(fds);
	if (h.pidfd)
		close(h.pidfd);
	return rc == -ESRCH ? 0 : rc;
}

static int walk_all(const struct walk *w)
{
	DIR *all = fdopendir(w->proc);
	struct dirent *e;
	int rc = 0;

	if (!all)
		return -errno;
	while (!rc && (e = readdir(all)))
		if (*e->d_name >= '1' && *e->d_name <= '9')
			rc = walk_process(w, (uint32_t)strtoul(e->d_name, NULL, 10));
	closedir(all);
	return rc;
}

int procs_walk_sockets(procs_each *each, void *arg)
{
	struct walk w = { .each = each, .arg = arg };
	int rc;

	w.proc = mnt_open_dir("proc", "/proc", PROC_SUPER_MAGIC);
	if (w.proc < 0)
		return w.proc;
	w.cgroups = mnt_open_dir("cgroup2", "/sys/fs/cgroup", CGROUP2_SUPER_MAGIC);
	rc = walk_all(&w);
	if (w.cgroups >= 0)
		close(w.cgroups);
	return rc;
}
