// SPDX-License-Identifier: MIT
/* Programs that the drop filters are compared with: bare drops, and lookups of the source address
 * in a map of the kernel. */
#include "tests/bench/prog.h"

enum {
	TC_DROP = 2,
	SOURCES_MAX = 1000000,
};

struct {
	MAP_UINT(type, BPF_MAP_TYPE_HASH);
	MAP_UINT(max_entries, SOURCES_MAX);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, __u8);
} hash MAP;

struct trie_key {
	__u32 bits, addr;
};
struct {
	MAP_UINT(type, BPF_MAP_TYPE_LPM_TRIE);
	MAP_UINT(max_entries, SOURCES_MAX);
	MAP_UINT(map_flags, BPF_F_NO_PREALLOC);
	MAP_TYPE(key, struct trie_key);
	MAP_TYPE(value, __u8);
} trie MAP;

/* 0: not an IPv4 packet. */
static __always_inline __u32 get_source(const struct xdp_md *ctx)
{
	__u32 src;

	return read_source(ctx, &src) ? src : 0;
}

SEC("xdp")
int bench_drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

SEC("tc")
int bench_shot(struct __sk_buff *skb)
{
	(void)skb;
	return TC_DROP;
}

SEC("xdp")
int bench_hash(struct xdp_md *ctx)
{
	__u32 addr = get_source(ctx);

	return bpf_map_lookup_elem(&hash, &addr) ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int bench_trie(struct xdp_md *ctx)
{
	struct trie_key key = { 32, get_source(ctx) };

	return bpf_map_lookup_elem(&trie, &key) ? XDP_DROP : XDP_PASS;
}

LICENSE("Dual MIT/GPL");
