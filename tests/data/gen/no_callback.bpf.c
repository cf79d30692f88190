// SPDX-License-Identifier: MIT
/* Refused: the address of a function. */
#include "kern.h"

static long (*const loop)(u32 n, void *fn, void *ctx, u64 flags) = (void *)181;

static NOINLINE long on_number(u32 i, void *ctx)
{
	return i > 3;
}

SEC("xdp") int prog(struct xdp_md *ctx)
{
	return loop(8, on_number, 0, 0);
}

LICENSE;
