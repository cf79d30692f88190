/* SPDX-License-Identifier: MIT */
/* All names that can be probed here. */
#ifndef PROBE_SCAN_H
#define PROBE_SCAN_H

#include "sys/btf.h"

/* Called with each name, ended by NUL; a value other than 0 ends it and is returned. */
typedef int scan_each(const char *name, void *arg);

/* Functions of the kernel and its modules: those that tracefs says can be probed, else all. 0,
 * what each() returned, or -errno. */
int scan_functions(scan_each *each, void *arg);
/* Tracepoints as "CATEGORY:NAME", if tracefs can be read, mounted or not; and system calls as
 * "syscalls:sys_enter_NAME" and "syscalls:sys_exit_NAME". */
int scan_tracepoints(scan_each *each, void *arg);
/* Tracepoints by their names alone. types: the kernel's. */
int scan_raw(const struct btf *types, scan_each *each, void *arg);
/* Functions of a program or library. */
int scan_file(const char *path, scan_each *each, void *arg);

#endif
