/* SPDX-License-Identifier: MIT */
/* A packet's views, which are too large for a program's stack. */
#ifndef BPF_LIB_SCRATCH_H
#define BPF_LIB_SCRATCH_H

#include "bpf/lib/bpf.h"
#include "bpf/lib/view.h"

struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct view_work);
} scratch MAP;

#endif
