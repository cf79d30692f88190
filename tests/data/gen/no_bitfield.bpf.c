// SPDX-License-Identifier: MIT
/* Refused: a CO-RE access to a bitfield. */
#include "kern.h"

struct bits {
	u32 whole;
	u32 low : 3, high : 5;
} CORE;

SEC("tp_btf/x") int prog(u64 *args)
{
	struct bits *b = (void *)args[0];

	return __builtin_preserve_field_info(b->high, FIELD_OFFSET);
}

LICENSE;
