// SPDX-License-Identifier: MIT
/* Refused: two maps with the same enumerator in C. */
#include "kern.h"

struct {
	UINT(type, ARRAY);
	UINT(max_entries, 1);
	TYPE(key, u32);
	TYPE(value, u32);
} hot MAPS, HOT MAPS;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	u32 key = 0;

	return map_lookup(&hot, &key) || map_lookup(&HOT, &key);
}

LICENSE;
