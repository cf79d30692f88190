// SPDX-License-Identifier: MIT
/* Refused: a section of unknown programs. */
#include "kern.h"

SEC("lsm/file_open") int prog(void *ctx)
{
	return 0;
}

LICENSE;
