/* SPDX-License-Identifier: MIT */
/* Access to kernel file systems (sysfs, tracefs, proc, ...) that need not be mounted. */
#ifndef SYS_MNT_H
#define SYS_MNT_H

#include <stddef.h>

/* Creates a detached mount of fstype ("sysfs", "tracefs", "proc", "securityfs"), which no mount
 * table shows. Returns a descriptor of its root for openat(2), which the caller closes; or -errno.
 * Needs CAP_SYS_ADMIN and Linux 5.2 (fsopen(2)). */
int mnt_create_detached(const char *fstype);

/* Opens the root directory of a file system: mount_point if a file system with this magic number
 * (linux/magic.h) is mounted there, else a detached mount. Returns a descriptor, which the caller
 * closes; or -errno. */
int mnt_open_dir(const char *fstype, const char *mount_point, unsigned long magic);

/* Opens path read-only below mount_point, else in a detached mount. Returns a descriptor, which the
 * caller closes; or -errno. */
int mnt_open(const char *fstype, const char *mount_point, const char *path);

/* Reads a small file like mnt_open() into buf, NUL-terminated, without trailing white space.
 * Returns its length or -errno. */
int mnt_read(const char *fstype, const char *mount_point, const char *path, char *buf, size_t len);

#endif
