// SPDX-License-Identifier: MIT
/* Refused: a CO-RE access that starts after the first element. */
#include "kern.h"

struct thing {
	u32 a, b;
} CORE;

SEC("tp_btf/x") int prog(u64 *args)
{
	struct thing *t = (void *)args[0];

	return t[2].b;
}

LICENSE;
