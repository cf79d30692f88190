// SPDX-License-Identifier: MIT
/* Data sections besides the standard ones, and an offset into a variable. */
#include "kern.h"

u32 own[3] SEC(".data.own") = { 1, 2, 3 };
static const u32 table[4] = { 10, 20, 30, 40 };

SEC("xdp") int prog(struct xdp_md *ctx)
{
	char text[] = "a text that is copied";
	u32 at = ctx->rx_queue_index;

	own[2] = at;
	return text[at & 7] + (&table[1])[at & 1];
}

LICENSE;
