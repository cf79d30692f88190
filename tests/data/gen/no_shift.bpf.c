// SPDX-License-Identifier: MIT
/* Refused: the shift of a CO-RE bitfield. */
#include "kern.h"

struct bits {
	u32 low : 3, high : 5;
} CORE;

SEC("tp_btf/x") int prog(u64 *args)
{
	struct bits *b = (void *)args[0];

	return __builtin_preserve_field_info(b->high, FIELD_LSHIFT);
}

LICENSE;
