// SPDX-License-Identifier: MIT
/* Maps of every form, global data and conf, in a program that the verifier accepts. */
#include "kern.h"

struct maps_conf {
	u32 limit;
	u8 on, pad[3];
};
struct flow_key {
	u32 prefix;
	u8 addr[4];
};
struct flow_val {
	u64 packets;
	u16 port;
};

static const u64 before SEC(".rodata") = 5;
const volatile struct maps_conf conf SEC(".rodata") = { .limit = 9, .on = 1 };

struct {
	UINT(type, HASH);
	UINT(max_entries, 100);
	TYPE(key, struct flow_key);
	TYPE(value, struct flow_val);
} flows MAPS;

struct {
	UINT(type, PERCPU_ARRAY);
	UINT(max_entries, 3);
	UINT(key_size, 4);
	UINT(value_size, 24);
} sums MAPS;

struct {
	UINT(type, LRU_HASH);
	UINT(max_entries, 1);
	TYPE(key, u32);
	TYPE(value, u32);
} unused MAPS;

struct {
	UINT(type, LPM_TRIE);
	UINT(max_entries, 1000);
	UINT(map_flags, NO_PREALLOC);
	TYPE(key, struct flow_key);
	TYPE(value, u8);
} nets MAPS;

static struct {
	UINT(type, RINGBUF);
	UINT(max_entries, 65536);
} ring MAPS;

struct {
	UINT(type, PROG_ARRAY);
	UINT(max_entries, 2);
} next MAPS;

struct {
	UINT(type, PERF_EVENT_ARRAY);
} events MAPS;

struct {
	UINT(type, QUEUE);
	UINT(max_entries, 8);
	TYPE(value, u32);
} line MAPS;

u32 weights[4] = { 1, 2, 3, 4 };
u64 calls;
u32 last[4];

SEC("xdp") int count(struct xdp_md *ctx)
{
	struct flow_key key = {};
	struct flow_val *val, none = {};
	u32 slot = random_u32() & 3;
	u64 *sum;

	if (!conf.on)
		return 1;
	calls += before;
	last[slot] = weights[slot];
	sum = map_lookup(&sums, &slot);
	if (sum)
		*sum += conf.limit;
	if (!map_lookup(&nets, &key))
		ring_output(&ring, &slot, sizeof(slot), 0);
	val = map_lookup(&flows, &key);
	if (val)
		val->packets++;
	else
		map_update(&flows, &key, &none, 0);
	map_push(&line, &slot, 0);
	perf_output(ctx, &events, 0xffffffff, &slot, sizeof(slot));
	tail_call(ctx, &next, 1);
	return 2;
}

LICENSE;
