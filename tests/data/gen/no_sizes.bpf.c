// SPDX-License-Identifier: MIT
/* Refused: a key size that differs from the size of its type. */
#include "kern.h"

struct {
	UINT(type, HASH);
	UINT(max_entries, 1);
	UINT(key_size, 8);
	TYPE(key, u32);
	TYPE(value, u32);
} m MAPS;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	u32 key = 0;

	return !!map_lookup(&m, &key);
}

LICENSE;
