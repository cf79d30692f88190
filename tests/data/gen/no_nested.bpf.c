// SPDX-License-Identifier: MIT
/* Refused: maps in maps. */
#include "kern.h"

struct {
	UINT(type, ARRAY_OF_MAPS);
	UINT(max_entries, 1);
	UINT(key_size, 4);
	UINT(value_size, 4);
} m MAPS;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	u32 key = 0;

	return !!map_lookup(&m, &key);
}

LICENSE;
