/* SPDX-License-Identifier: MIT */
/* Detached mounts by fsopen(2), fsconfig(2) and fsmount(2). */
#define _GNU_SOURCE
#include "sys/mnt.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

int mnt_create_detached(const char *fstype)
{
	long fs = syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC), fd;

	if (fs < 0)
		return -errno;
	fd = syscall(SYS_fsconfig, (int)fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (!fd)
		fd = syscall(SYS_fsmount, (int)fs, FSMOUNT_CLOEXEC, 0);
	if (fd < 0)
		fd = -errno;
	close((int)fs);
	return (int)fd;
}

int mnt_open_dir(const char *fstype, const char *mount_point, unsigned long magic)
{
	int fd = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC), mount;
	struct statfs fs;

	if (fd >= 0 && !fstatfs(fd, &fs) && (unsigned long)fs.f_type == magic)
		return fd;
	if (fd >= 0)
		close(fd);
	mount = mnt_create_detached(fstype);
	if (mount < 0)
		return mount;
	/* The mount's descriptor is O_PATH and cannot be read: reopen the directory. */
	fd = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	close(mount);
	return fd;
}

int mnt_open(const char *fstype, const char *mount_point, const char *path)
{
	char full[PATH_MAX];
	int dir, fd;

	snprintf(full, sizeof(full), "%s/%s", mount_point, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	dir = mnt_create_detached(fstype);
	if (dir < 0)
		return dir;
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	close(dir);
	return fd;
}

int mnt_read(const char *fstype, const char *mount_point, const char *path, char *buf, size_t len)
{
	int fd = mnt_open(fstype, mount_point, path);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, buf, len - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return (int)n;
	while (n && strchr(" \t\n", buf[n - 1]))
		n--;
	buf[n] = '\0';
	return (int)n;
}
