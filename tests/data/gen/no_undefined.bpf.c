// SPDX-License-Identifier: MIT
/* Refused: an undefined function. */
#include "kern.h"

extern int elsewhere(int a);

SEC("xdp") int prog(struct xdp_md *ctx)
{
	return elsewhere(3);
}

LICENSE;
