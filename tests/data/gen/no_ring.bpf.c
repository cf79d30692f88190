// SPDX-License-Identifier: MIT
/* Refused: a ring buffer whose size is not a power of two. */
#include "kern.h"

struct {
	UINT(type, RINGBUF);
	UINT(max_entries, 5000);
} m MAPS;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	u32 key = 0;

	return !!map_lookup(&m, &key);
}

LICENSE;
