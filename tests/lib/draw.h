/* SPDX-License-Identifier: MIT */
/* Random numbers that are the same in every run. */
#ifndef TESTS_LIB_DRAW_H
#define TESTS_LIB_DRAW_H

#include <stdint.h>

/* xorshift64. state: the seed at first, not 0. */
static inline uint32_t draw_below(uint64_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32) % below;
}

#endif
