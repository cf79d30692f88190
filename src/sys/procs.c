/* SPDX-License-Identifier: MIT */
/* Lists processes with proc(5) and duplicates their sockets with pidfd_getfd(2). */
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

/* A walk over all processes. */
struct process_walk {
	int proc, cgroups; /* descriptors of directories; cgroups: -errno without cgroup2 */
	procs_each *each;
	void *arg;
};

/* The current process. Members that only processes with sockets need are read at the first
 * socket. */
struct process {
	struct proc proc;
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

/* Reads a cgroup's id, which is the inode number of its directory. */
static uint64_t read_cgroup_id(const struct process_walk *w, uint32_t pid)
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

/* Runs at a process's first socket. Fails if the process cannot be examined. */
static int open_process(const struct process_walk *w, struct process *process)
{
	if (process->pidfd)
		return 0;
	process->pidfd = (int)syscall(SYS_pidfd_open, process->proc.pid, 0);
	if (process->pidfd < 0) {
		int rc = -errno;

		process->pidfd = 0;
		return rc;
	}
	read_file(w->proc, process->proc.pid, "comm", process->proc.comm,
		  sizeof(process->proc.comm));
	process->proc.comm[strcspn(process->proc.comm, "\n")] = '\0';
	process->proc.cgroup = read_cgroup_id(w, process->proc.pid);
	return 0;
}

static int visit_fd(const struct process_walk *w, struct process *process, int fd_number)
{
	int rc = open_process(w, process), fd;

	if (rc)
		return rc;
	fd = (int)syscall(SYS_pidfd_getfd, process->pidfd, fd_number, 0);
	if (fd < 0)
		return errno == EBADF ? 0 : -errno; /* EBADF: closed meanwhile */
	rc = is_inet(fd) ? w->each(&process->proc, fd, w->arg) : 0;
	close(fd);
	return rc;
}

static int walk_fds(const struct process_walk *w, struct process *process, DIR *fds)
{
	struct dirent *e;
	int rc = 0;

	while (!rc && (e = readdir(fds))) {
		char target[16];
		ssize_t n = readlinkat(dirfd(fds), e->d_name, target, sizeof(target));

		if (n > 8 && !memcmp(target, "socket:[", 8))
			rc = visit_fd(w, process, atoi(e->d_name));
	}
	return rc;
}

static int walk_process(const struct process_walk *w, uint32_t pid)
{
	struct process process = { .proc.pid = pid };
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
	rc = walk_fds(w, &process, fds);
	closedir(fds);
	if (process.pidfd)
		close(process.pidfd);
	return rc == -ESRCH ? 0 : rc;
}

static int walk_all(const struct process_walk *w)
{
	DIR *dir = fdopendir(w->proc);
	struct dirent *e;
	int rc = 0;

	if (!dir)
		return -errno;
	while (!rc && (e = readdir(dir)))
		if (*e->d_name >= '1' && *e->d_name <= '9')
			rc = walk_process(w, (uint32_t)strtoul(e->d_name, NULL, 10));
	closedir(dir);
	return rc;
}

int procs_walk_sockets(procs_each *each, void *arg)
{
	struct process_walk w = { .each = each, .arg = arg };
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
