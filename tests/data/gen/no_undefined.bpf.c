// SPDX-License-Identifier: MIT
/* Refused: a function that is nowhere. */
#include "kern.h"

extern int elsewhere(int a);

SEC("xdp") int prog(struct xdp_md *ctx)
{
	return elsewhere(3);
}

LICENSE;
