/* SPDX-License-Identifier: MIT */
/* A guard's configuration, and its gate with no rules. */
#include "tests/lib/guarded.h"
#include "base/clock.h"
#include "gen/gate.gen.h"

struct gate_conf guarded_conf(uint32_t lines)
{
	return (struct gate_conf){
		.magic = GATE_MAGIC,
		.version = GATE_VERSION,
		.ethernet = 1,
		.guarded = lines != 0,
		.guard = { .seed = { 0x1234567890abcdef, 0xfedcba0987654321, 77 },
			   .lines = lines - 1,
			   .idle = 5,
			   .ban_decay = 100,
			   .ban_max = 100000,
			   .enforce = 1,
			   .nscopes = 1,
			   .scopes[0] = { .bits4 = 32,
					  .bits6 = 64,
					  .mask = { ~0ull, 0 },
					  .mask4 = ~0u,
					  .sketch_min_packets = 1,
					  .sketch_min_syns = 1,
					  .sketch_min_blocks = 1 } },
	};
}

struct guard_limit guarded_limit(enum guard_unit unit, uint64_t rate, uint64_t burst,
				 enum guard_action action)
{
	uint64_t cost = (NS_PER_S << GUARD_TIME_SHIFT) / rate;

	return (struct guard_limit){
		.cost = cost, .full = burst * cost, .unit = (uint8_t)unit, .action = (uint8_t)action
	};
}

void guarded_add(struct gate_conf *conf, int scope, struct guard_limit limit)
{
	struct guard_scope *s = &conf->guard.scopes[scope];

	limit.number = s->nlimits;
	s->limits[s->nlimits++] = limit;
}

int guarded_open(struct obj *gate, const struct gate_conf *conf, uint32_t progs)
{
	const struct obj_code none[GATE_NPROGS] = { { .remove = true },
						    { .remove = true },
						    { .remove = true } };
	const struct obj_map maps[GATE_NMAPS] = {
		[GATE_MAP_GUARD] = { .max_entries =
					     conf->guarded ? GUARD_SIZE(conf->guard.lines) : 1 }
	};
	struct obj_opts opts = { .conf = conf, .stubs = none, .maps = maps, .progs = progs };

	return obj_open(gate, &gate_spec, &opts);
}
