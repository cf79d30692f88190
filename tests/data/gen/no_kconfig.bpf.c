// SPDX-License-Identifier: MIT
/* Refused: a kernel configuration value. */
#include "kern.h"

extern int CONFIG_HZ IN(".kconfig");

SEC("xdp") int prog(struct xdp_md *ctx)
{
	return CONFIG_HZ;
}

LICENSE;
