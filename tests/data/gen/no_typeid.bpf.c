// SPDX-License-Identifier: MIT
/* Refused: a CO-RE type id. */
#include "kern.h"

struct thing {
	u32 a;
} CORE;

SEC("tp_btf/x") int prog(u64 *args)
{
	return __builtin_btf_type_id(*(struct thing *)0, 1);
}

LICENSE;
