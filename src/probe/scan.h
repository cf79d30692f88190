/* SPDX-License-Identifier: MIT */
/* Lists everything that can be probed. */
#ifndef PROBE_SCAN_H
#define PROBE_SCAN_H

#include "sys/btf.h"

enum { SCAN_NAME = 256 }; /* bytes of a name with its NUL: longer ones are left out */

/* Called with each name, with a NUL. Returning anything but 0 stops the scan. */
typedef int scan_each(const char *name, void *arg);

/* Walks the functions of the kernel and its modules: those that can be probed according to tracefs,
 * else all. Returns 0, what each() returned, or -errno. Does not report errors. */
int scan_functions(scan_each *each, void *arg);
/* Tracepoints as "CATEGORY:NAME", if tracefs can be read, mounted or not; and system calls as
 * "syscalls:sys_enter_NAME" and "syscalls:sys_exit_NAME". Returns as scan_functions(). */
int scan_tracepoints(scan_each *each, void *arg);
/* Tracepoints by name alone. types: the kernel's. Returns as scan_functions(). */
int scan_raw(const struct btf *types, scan_each *each, void *arg);
/* Functions of a program or library. Returns as scan_functions(). */
int scan_file(const char *path, scan_each *each, void *arg);

#endif
