/* SPDX-License-Identifier: MIT */
/* Kprobes and uprobes as perf events (perf_event_open(2)). */
#ifndef SYS_PERF_H
#define SYS_PERF_H

#include <stdbool.h>
#include <stdint.h>

/* Attaches a BPF program to the entry or the return of a kernel function. Returns a descriptor that
 * keeps it attached. -ENOENT: no such function, or probing it is not allowed; -ENODEV: the kernel
 * has no kprobes. */
int perf_attach_kprobe(const char *function, bool at_return, int prog_fd);

/* Returns true if the kernel has kprobes. */
bool perf_has_kprobes(void);
/* Gets the PMU type of kprobes (user: of uprobes). -ENODEV: the kernel has none; other errors:
 * sysfs could not be read. */
int perf_read_type(bool user, uint32_t *type);

/* Like perf_attach_kprobe(), for the code at an offset of a file, in every process that runs it. */
int perf_attach_uprobe(const char *file, uint64_t offset, bool at_return, int prog_fd);

#endif
