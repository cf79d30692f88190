// SPDX-License-Identifier: MIT
/* Refused: an unknown member of a map definition. */
#include "kern.h"

struct {
	UINT(type, ARRAY);
	UINT(max_entries, 1);
	TYPE(key, u32);
	TYPE(value, u32);
	UINT(pinning, 1);
} m MAPS;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	u32 key = 0;

	return !!map_lookup(&m, &key);
}

LICENSE;
