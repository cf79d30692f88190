/* SPDX-License-Identifier: MIT */
/* Which of many names a mistyped word was meant to be. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stdbool.h>
#include <stddef.h>

enum { NEAR_MAX = 63 }; /* letters: longer names are near to none */

struct near {
	const char *word; /* the caller's */
	size_t len;
	unsigned int best;
	char name[NEAR_MAX + 1]; /* the nearest so far; "": none is near enough to be a slip */
};
void near_begin(struct near *near, const char *word);
/* True: it is the nearest so far; of some that are as near the first is kept. */
bool near_try(struct near *near, const char *name);

#endif
