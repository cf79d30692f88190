// SPDX-License-Identifier: MIT
/* The benchmark's lookups: each address is drawn at random after the previous result. */
#include "tests/bench/prog.h"
#include "tests/bench/sets.h"

const volatile struct sets_conf conf = {};

STATE(state, struct sets_state);

/* The lookup's code replaces this function. */
static __noinline int stub_find(const struct sets_key *key)
{
	return stub_answer(0, key, 0, 0);
}

SEC("xdp") int bench_sets(struct xdp_md *ctx)
{
	struct sets_state *s = get_state(&state);

	(void)ctx;
	if (!s)
		return XDP_ABORTED;
	for (int i = 0; i < SETS_LOOKUPS; i++) {
		struct sets_key key = { .bits = 32 };
		int found;

		s->x = s->x * 6364136223846793005ull + 1442695040888963407ull;
		sets_address(conf.from + ((s->x >> 32) * conf.n >> 32), key.addr);
		found = stub_find(&key);
		/* The next address depends on the result, so lookups do not overlap. */
		s->x += found;
		s->found += found;
	}
	return XDP_DROP;
}

LICENSE("Dual MIT/GPL");
