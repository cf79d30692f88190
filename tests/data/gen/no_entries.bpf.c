// SPDX-License-Identifier: MIT
/* Refused: a map without a size. */
#include "kern.h"

struct {
	UINT(type, HASH);
	TYPE(key, u32);
	TYPE(value, u32);
} m MAPS;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	u32 key = 0;

	return !!map_lookup(&m, &key);
}

LICENSE;
