// SPDX-License-Identifier: MIT
/* Refused: no programs. */
#include "kern.h"

u32 lonely = 3;

LICENSE;
