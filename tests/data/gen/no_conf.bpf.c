// SPDX-License-Identifier: MIT
/* Refused: conf that is not constant. */
#include "kern.h"

struct no_conf_conf {
	u32 a;
} conf = { 3 };

SEC("xdp") int prog(struct xdp_md *ctx)
{
	return conf.a;
}

LICENSE;
