// SPDX-License-Identifier: MIT
/* Refused: a map with too long a name. */
#include "kern.h"

struct {
	UINT(type, ARRAY);
	UINT(max_entries, 1);
	TYPE(key, u32);
	TYPE(value, u32);
} sixteen_letters_ MAPS;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	u32 key = 0;

	return !!map_lookup(&sixteen_letters_, &key);
}

LICENSE;
