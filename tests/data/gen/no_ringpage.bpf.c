// SPDX-License-Identifier: MIT
/* Refused: a ring that is smaller than a page where pages are large. */
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
