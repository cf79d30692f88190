/* SPDX-License-Identifier: MIT */
/* Programs put where the kernel can be watched at work. */
#ifndef OBJ_TRACING_H
#define OBJ_TRACING_H

#include <stdbool.h>
#include <stdint.h>
#include "obj/obj.h"

/* Attach a loaded program to what its section names: a tracepoint (tp_btf, raw_tp), a function of
 * the kernel (kprobe, kretprobe). The descriptor that holds it there, the caller's, or -errno,
 * unsaid: -ENOENT: this kernel has nothing of that name. */
int tracing_attach(const struct obj *o, uint32_t prog);

/* Whether the kernel takes programs for where its functions return (fexit), as far as loading one
 * tells. 0 or -errno, unsaid. */
int tracing_try_fexit(const struct btf *types, const char *function);

/* Run an iterator (iter) once over all there is. The descriptor its output is read from, the
 * caller's, or -errno, unsaid. */
int tracing_iterate(const struct obj *o, uint32_t prog);

/* Times that its programs, but for one (UINT32_MAX: all), were passed over as they were at work
 * already on that CPU. */
uint64_t tracing_missed(const struct obj *o, uint32_t but);

#endif
