// SPDX-License-Identifier: MIT
/* Subprograms: shared, nested, static and global, and two programs in one section. */
#include "kern.h"

u64 total;
u32 base = 7;

static NOINLINE u32 leaf(u32 a)
{
	total += a;
	return a * base;
}

static NOINLINE u32 middle(u32 a)
{
	return leaf(a + 1) ^ 3;
}

NOINLINE u32 global(u32 a)
{
	return leaf(a) + 5;
}

NOINLINE u32 never_called(u32 a)
{
	return leaf(a) + 9;
}

SEC("xdp") int first(struct xdp_md *ctx)
{
	return (middle(ctx->ingress_ifindex) + global(ctx->rx_queue_index)) & 1;
}

SEC("xdp") int second(struct xdp_md *ctx)
{
	return leaf(ctx->rx_queue_index) & 1;
}

SEC("tc") int alone(void *ctx)
{
	return 0;
}

LICENSE;
