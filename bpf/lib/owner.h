/* SPDX-License-Identifier: MIT */
/* The map of the sockets' owners, for the programs that fill it and those that read it. */
#ifndef BPF_LIB_OWNER_H
#define BPF_LIB_OWNER_H

#include "bpf/lib/bpf.h"
#include "bpf/owner.h"

struct {
	MAP_UINT(type, BPF_MAP_TYPE_SK_STORAGE);
	MAP_UINT(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	MAP_TYPE(key, int);
	MAP_TYPE(value, struct owner);
} owners MAP;

#endif
