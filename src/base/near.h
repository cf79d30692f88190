/* SPDX-License-Identifier: MIT */
/* Suggestions for mistyped words: finds the most similar of many names. */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include <stdbool.h>
#include <stddef.h>

enum { NEAR_MAX = 63 }; /* bytes; longer words and names match nothing */

struct near {
	const char *word; /* the mistyped word; not owned */
	size_t len;
	unsigned int best;
	char name[NEAR_MAX + 1]; /* the most similar name so far; "": none is similar enough */
};
void near_begin(struct near *near, const char *word);
/* Returns true if name is more similar than any before. On a tie the earlier name is kept. */
bool near_try(struct near *near, const char *name);

#endif
