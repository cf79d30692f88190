// SPDX-License-Identifier: MIT
/* Refused: two programs that C could not tell apart by an enumerator. */
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
