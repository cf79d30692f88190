// SPDX-License-Identifier: MIT
/* Refused: initial values of a map. */
#include "kern.h"

struct {
	UINT(type, PROG_ARRAY);
	UINT(max_entries, 1);
	int (*values[1])(void *);
} m MAPS;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	u32 key = 0;

	return !!map_lookup(&m, &key);
}

LICENSE;
