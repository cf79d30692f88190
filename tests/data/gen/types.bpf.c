// SPDX-License-Identifier: MIT
/* Map types for the reduced BTF: kept, cut and omitted ones. */
#include "kern.h"

enum state { IDLE = -1, BUSY = 5 };
struct hidden {
	u64 secret_member;
};
struct pair {
	const volatile u16 left;
	u16 right : 3, rest : 13;
};
struct value {
	struct hidden *ptr;
	struct pair pairs[2];
	enum state state;
	union {
		u32 n;
		char c[8];
	};
};
struct measured {
	float f;
};

struct {
	UINT(type, HASH);
	UINT(max_entries, 1);
	TYPE(key, u32);
	TYPE(value, struct value);
} rich MAPS;

struct {
	UINT(type, HASH);
	UINT(max_entries, 1);
	TYPE(key, struct pair);
	TYPE(value, struct measured);
} floating MAPS;

struct {
	UINT(type, HASH);
	UINT(max_entries, 1);
	TYPE(key, u32);
	UINT(value_size, 8);
} half MAPS;

SEC("xdp") int look(struct xdp_md *ctx)
{
	u32 key = 0;
	struct pair pair = {};

	return map_lookup(&rich, &key) && map_lookup(&half, &key) && map_lookup(&floating, &pair);
}

LICENSE;
