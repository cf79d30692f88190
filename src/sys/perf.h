/* SPDX-License-Identifier: MIT */
/* Probes at functions, of the kernel and of programs, as perf events (perf_event_open(2)). */
#ifndef SYS_PERF_H
#define SYS_PERF_H

#include <stdbool.h>
#include <stdint.h>

/* A BPF program at a kernel function, at its begin or where it returns. The descriptor, which holds
 * it there; -ENOENT: no such function, or none that may be probed; -ENODEV: this kernel has no
 * kprobes. */
int perf_attach_kprobe(const char *function, bool returns, int prog_fd);

/* Whether this kernel has such a thing at all. */
bool perf_has_kprobes(void);
/* The number of its kind, user: of that in files. -ENODEV: the kernel has none; else what keeps it
 * from being asked. */
int perf_read_type(bool user, uint32_t *type);

/* The same of the code at an offset in a file, in every process that runs it. */
int perf_attach_uprobe(const char *file, uint64_t offset, bool returns, int prog_fd);

#endif
