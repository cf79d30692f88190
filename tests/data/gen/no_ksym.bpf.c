// SPDX-License-Identifier: MIT
/* Refused: a kernel variable. */
#include "kern.h"

extern const int jiffies_64 IN(".ksyms");

SEC("xdp") int prog(struct xdp_md *ctx)
{
	return *(volatile const int *)&jiffies_64;
}

LICENSE;
