// SPDX-License-Identifier: MIT
/* Refused: conf of another struct's type. */
#include "kern.h"

struct other_conf {
	u32 a;
};
const volatile struct other_conf conf;

SEC("xdp") int prog(struct xdp_md *ctx)
{
	return conf.a;
}

LICENSE;
