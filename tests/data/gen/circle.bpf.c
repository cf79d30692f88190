// SPDX-License-Identifier: MIT
/* Functions that call each other in a circle: each is laid down once. */
#include "kern.h"

NOINLINE u32 odd(u32 a);

NOINLINE u32 even(u32 a)
{
	return a ? odd(a - 1) + 2 : 1;
}

NOINLINE u32 odd(u32 a)
{
	return a ? even(a - 1) + 3 : 0;
}

SEC("xdp") int spin(struct xdp_md *ctx)
{
	return even(ctx->rx_queue_index);
}

LICENSE;
