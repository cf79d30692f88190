// SPDX-License-Identifier: MIT
/* Functions that call each other recursively. Each is emitted once. */
#include "kern.h"

NOINLINE u32 count_odd(u32 a);

NOINLINE u32 count_even(u32 a)
{
	return a ? count_odd(a - 1) + 2 : 1;
}

NOINLINE u32 count_odd(u32 a)
{
	return a ? count_even(a - 1) + 3 : 0;
}

SEC("xdp") int spin(struct xdp_md *ctx)
{
	return count_even(ctx->rx_queue_index);
}

LICENSE;
