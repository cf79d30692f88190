/* SPDX-License-Identifier: MIT */
/* Attaches programs to places in the kernel's code: tracepoints, functions, iterators. */
#ifndef OBJ_TRACING_H
#define OBJ_TRACING_H

#include <stdbool.h>
#include <stdint.h>
#include "obj/obj.h"

/* Attaches a loaded program to the target of its section: a tracepoint (tp_btf, raw_tp) or a kernel
 * function (kprobe, kretprobe). Returns a descriptor, which the caller closes, or -errno; -ENOENT:
 * this kernel has no such target. Does not report errors. */
int tracing_attach(const struct obj *o, uint32_t prog);

/* Tries whether the kernel accepts programs at the returns of its functions (fexit), as far as
 * loading one shows. Returns 0 or -errno. Does not report errors. */
int tracing_try_fexit(const struct btf *types, const char *function);

/* Runs an iterator program over all its objects. Returns a descriptor to read its output from,
 * which the caller closes, or -errno. Does not report errors. */
int tracing_iterate(const struct obj *o, uint32_t prog);

/* Returns how often the kernel skipped the programs because they were already running on that CPU:
 * all programs except one (UINT32_MAX: all). */
uint64_t tracing_missed(const struct obj *o, uint32_t except);

#endif
