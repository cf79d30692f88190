// SPDX-License-Identifier: MIT
/* Refused: two programs with the same enumerator in C. */
#include "kern.h"

SEC("xdp") int prog(struct xdp_md *ctx)
{
	return 0;
}

SEC("tc") int Prog(void *ctx)
{
	return 0;
}

LICENSE;
