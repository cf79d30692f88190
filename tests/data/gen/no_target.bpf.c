// SPDX-License-Identifier: MIT
/* Refused: a program without the target that its type needs. */
#include "kern.h"

SEC("fentry/") int prog(void *ctx)
{
	return 0;
}

LICENSE;
