// SPDX-License-Identifier: MIT
/* Refused: a local storage with a size. */
#include "kern.h"

struct {
	UINT(type, SK_STORAGE);
	UINT(max_entries, 4);
	UINT(map_flags, NO_PREALLOC);
	TYPE(key, u32);
	TYPE(value, u32);
} m MAPS;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	u32 key = 0;

	return !!map_lookup(&m, &key);
}

LICENSE;
