// SPDX-License-Identifier: MIT
/* Refused: an array with wide keys. */
#include "kern.h"

struct {
	UINT(type, ARRAY);
	UINT(max_entries, 1);
	TYPE(key, u64);
	TYPE(value, u32);
} m MAPS;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	u32 key = 0;

	return !!map_lookup(&m, &key);
}

LICENSE;
