/* SPDX-License-Identifier: MIT */
/* Random numbers, the same in every run. */
#ifndef TESTS_LIB_DRAW_H
#define TESTS_LIB_DRAW_H

#include <stdint.h>

/* Returns a number from 0 to below - 1 (xorshift64). *state must not be 0 at first. */
static inline uint32_t draw_below(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32) % below;
}

#endif
