/* SPDX-License-Identifier: MIT */
/* The map with the gate's verdict, for the gate and its observer (bpf/gate.h). */
#ifndef BPF_LIB_DECISION_H
#define BPF_LIB_DECISION_H

#include "bpf/lib/bpf.h"

/* An XDP action. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, __u32);
} decision MAP;

#endif
