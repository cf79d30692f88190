/* SPDX-License-Identifier: MIT */
/* Kernel file systems that need not be mounted anywhere. */
#ifndef SYS_MNT_H
#define SYS_MNT_H

#include <stddef.h>

/* A descriptor of the root of a detached mount of fstype ("sysfs", "tracefs", "proc",
 * "securityfs"), for openat(2); nothing appears in any mount table. The caller closes it. -errno:
 * needs CAP_SYS_ADMIN and Linux 5.2 (fsopen(2)). */
int mnt_create_detached(const char *fstype);

/* The root directory of a file system: what is mounted at the usual place if that has this magic
 * number (linux/magic.h), else a detached mount. The caller closes it. -errno. */
int mnt_open_dir(const char *fstype, const char *usual, unsigned long magic);

/* Open path below fstype: first at the usual mount point, else in a detached mount. Read-only. */
int mnt_open(const char *fstype, const char *usual, const char *path);

/* Read a small file that way into buf, ended with a NUL and without trailing white space. Bytes or
 * -errno. */
int mnt_read(const char *fstype, const char *usual, const char *path, char *buf, size_t len);

#endif
