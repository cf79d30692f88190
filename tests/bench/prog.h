/* SPDX-License-Identifier: MIT */
/* Shared by the benchmarks' kernel programs: private state, and a packet's source. */
#ifndef TESTS_BENCH_PROG_H
#define TESTS_BENCH_PROG_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include "bpf/lib/bpf.h"

/* A map with one value. */
#define STATE(name, of)                             \
	struct {                                    \
		MAP_UINT(type, BPF_MAP_TYPE_ARRAY); \
		MAP_UINT(max_entries, 1);           \
		MAP_TYPE(key, __u32);               \
		MAP_TYPE(value, of);                \
	} name MAP

static __always_inline void *get_state(void *map)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(map, &zero);
}

/* False: not an IPv4 packet. */
static __always_inline bool read_source(const struct xdp_md *ctx, __u32 *src)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);

	if ((void *)(ip + 1) > (void *)(long)ctx->data_end || eth->h_proto != be16(ETH_P_IP))
		return false;
	*src = ip->saddr;
	return true;
}

#endif
