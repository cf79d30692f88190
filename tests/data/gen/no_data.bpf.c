// SPDX-License-Identifier: MIT
/* Refused: a section of unknown data. */
#include "kern.h"

int table[2] SEC(".struct_ops") = { 1, 2 };

SEC("xdp") int prog(struct xdp_md *ctx)
{
	return table[1];
}

LICENSE;
