// SPDX-License-Identifier: MIT
/* Refused: a pointer in constant data. */
#include "kern.h"

static const char *const names[] = { "one", "two", "three" };

SEC("xdp") int prog(struct xdp_md *ctx)
{
	return *(volatile const char *)names[ctx->rx_queue_index & 1];
}

LICENSE;
