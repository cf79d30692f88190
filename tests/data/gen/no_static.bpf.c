// SPDX-License-Identifier: MIT
/* Refused: a program that is static. */
#include "kern.h"

SEC("xdp") static NOINLINE int prog(struct xdp_md *ctx)
{
	return 0;
}

SEC("tc") int other(void *ctx)
{
	return 0;
}

LICENSE;
