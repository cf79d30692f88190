/* SPDX-License-Identifier: MIT */
/* The few kernel definitions that gen's test objects need. No other header is included. */
#ifndef TESTS_GEN_KERN_H
#define TESTS_GEN_KERN_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define IN(name)          __attribute__((section(name)))
#define SEC(name)         __attribute__((section(name), used))
#define NOINLINE          __attribute__((noinline))
#define CORE              __attribute__((preserve_access_index))
#define LICENSE           char _license[] SEC("license") = "GPL"
#define UINT(name, value) int(*name)[value]
#define TYPE(name, type)  __typeof__(type) *name
#define MAPS              SEC(".maps")

/* enum bpf_map_type and flags of linux/bpf.h */
enum {
	HASH = 1,
	ARRAY = 2,
	PROG_ARRAY = 3,
	PERF_EVENT_ARRAY = 4,
	PERCPU_HASH = 5,
	PERCPU_ARRAY = 6,
	LRU_HASH = 9,
	LPM_TRIE = 11,
	ARRAY_OF_MAPS = 12,
	QUEUE = 22,
	SK_STORAGE = 24,
	RINGBUF = 27
};
enum { NO_PREALLOC = 1 };

/* enum bpf_core_relo_kind, the argument of __builtin_preserve_*_info */
enum { FIELD_OFFSET, FIELD_SIZE, FIELD_EXISTS, FIELD_SIGNED, FIELD_LSHIFT };

struct xdp_md {
	u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index;
};

static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static long (*const map_update)(void *map, const void *key, const void *value,
				u64 flags) = (void *)2;
static u32 (*const random_u32)(void) = (void *)7;
static long (*const tail_call)(void *ctx, void *map, u32 index) = (void *)12;
static long (*const perf_output)(void *ctx, void *map, u64 flags, void *data,
				 u64 size) = (void *)25;
static long (*const map_push)(void *map, const void *value, u64 flags) = (void *)87;
static long (*const ring_output)(void *ring, void *data, u64 size, u64 flags) = (void *)130;

#endif
