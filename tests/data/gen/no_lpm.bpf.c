// SPDX-License-Identifier: MIT
/* Refused: a trie that is preallocated. */
#include "kern.h"

struct {
	UINT(type, LPM_TRIE);
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
