// SPDX-License-Identifier: MIT
/* Refused: no license. */
#include "kern.h"

SEC("xdp") int prog(struct xdp_md *ctx)
{
	return 0;
}
