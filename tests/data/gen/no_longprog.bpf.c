// SPDX-License-Identifier: MIT
/* Refused: a program with too long a name. */
#include "kern.h"

SEC("xdp") int sixteen_letters_(struct xdp_md *ctx)
{
	return 0;
}

LICENSE;
