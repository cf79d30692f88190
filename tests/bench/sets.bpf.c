// SPDX-License-Identifier: MIT
/* The benchmark's lookups: addresses drawn at random, each after the answer about the last one. */
#include "bpf/lib/bpf.h"
#include "tests/bench/sets.h"

const volatile struct sets_conf conf = {};

struct {
	MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct sets_state);
} state MAP;

/* What looks up is put in its place. */
static __noinline int stub_find(const struct sets_key *key)
{
	return key->addr[0] & 1;
}

SEC("xdp") int bench_sets(struct xdp_md *ctx)
{
	struct sets_state *s;
	__u32 zero = 0;

	s = bpf_map_lookup_elem(&state, &zero);
	if (!s)
		return XDP_ABORTED;
	for (int i = 0; i < SETS_LOOKUPS; i++) {
		struct sets_key key = { .bits = 32 };
		int found;

		s->x = s->x * 6364136223846793005ull + 1442695040888963407ull;
		sets_address(conf.from + ((s->x >> 32) * conf.n >> 32), key.addr);
		found = stub_find(&key);
		/* What comes next waits for it. */
		s->x += found;
		s->found += found;
	}
	return XDP_DROP;
}

LICENSE("Dual MIT/GPL");
