// SPDX-License-Identifier: MIT
/* Refused: a ring buffer smaller than a large page. */
#include "kern.h"

struct {
	UINT(type, RINGBUF);
	UINT(max_entries, 32768);
} m MAPS;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	u32 key = 0;

	return !!map_lookup(&m, &key);
}

LICENSE;
