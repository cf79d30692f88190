// SPDX-License-Identifier: MIT
/* Refused: a ring buffer with values. */
#include "kern.h"

struct {
	UINT(type, RINGBUF);
	UINT(max_entries, 4096);
	TYPE(value, u32);
} m MAPS;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	u32 key = 0;

	return !!map_lookup(&m, &key);
}

LICENSE;
