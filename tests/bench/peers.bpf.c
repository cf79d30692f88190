/* SPDX-License-Identifier: MIT */
/* Peers of the guard: a bare drop, a drop after a hash lookup, and a token bucket per source in an
 * LRU hash, as in most examples. */
#include "tests/bench/prog.h"

enum { SOURCES = 10000, PER_SECOND = 1000, BURST = 2000 };

struct bucket {
	__u64 tokens, last;
};

struct {
	MAP_UINT(type, BPF_MAP_TYPE_HASH);
	MAP_UINT(max_entries, SOURCES);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, __u64);
} addrs MAP;

struct {
	MAP_UINT(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_UINT(max_entries, SOURCES);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct bucket);
} buckets MAP;

SEC("xdp")
int peer_drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

SEC("xdp")
int peer_hash(struct xdp_md *ctx)
{
	__u64 *hits;
	__u32 src;

	if (!read_source(ctx, &src))
		return XDP_PASS;
	hits = bpf_map_lookup_elem(&addrs, &src);
	if (hits)
		++*hits;
	return XDP_DROP;
}

SEC("xdp")
int peer_bucket(struct xdp_md *ctx)
{
	struct bucket new_bucket = { .tokens = BURST, .last = bpf_ktime_get_ns() }, *b;
	__u64 refill;
	__u32 src;

	if (!read_source(ctx, &src))
		return XDP_PASS;
	b = bpf_map_lookup_elem(&buckets, &src);
	if (!b) {
		bpf_map_update_elem(&buckets, &src, &new_bucket, BPF_ANY);
		return XDP_PASS;
	}
	refill = (new_bucket.last - b->last) / (1000000000 / PER_SECOND);
	if (refill) {
		b->tokens = b->tokens + refill < BURST ? b->tokens + refill : BURST;
		b->last = new_bucket.last;
	}
	if (!b->tokens)
		return XDP_DROP;
	b->tokens--;
	return XDP_PASS;
}

/* Gives each packet a random source address. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_PROG_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, __u32);
} next MAP;

static __u32 (*const bpf_get_prandom_u32)(void) = (void *)BPF_FUNC_get_prandom_u32;

SEC("xdp")
int peer_random(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);

	if ((void *)(ip + 1) > end)
		return XDP_PASS;
	ip->saddr = bpf_get_prandom_u32();
	bpf_tail_call(ctx, &next, 0);
	return XDP_DROP;
}

LICENSE("Dual MIT/GPL");
