/* SPDX-License-Identifier: MIT */
/* Suggestions for mistyped words by edit distance. */
#include "base/near.h"
#include <string.h>
#include "base/opt.h"

static unsigned int min_uint(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Returns the number of edits between two words: insertions, deletions, substitutions and swaps of
 * neighbours (optimal string alignment distance). Keeps only three rows of the table. */
static unsigned int count_edits(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned int rows[3][NEAR_MAX + 1];

	for (size_t i = 0; i <= na; i++) {
		unsigned int *row = rows[i % 3];
		const unsigned int *prev = rows[(i + 2) % 3], *prev2 = rows[(i + 1) % 3];

		for (size_t j = 0; j <= nb; j++) {
			if (!i || !j) {
				row[j] = (unsigned int)(i + j);
				continue;
			}
			row[j] = min_uint(prev[j], row[j - 1]) + 1;
			row[j] = min_uint(row[j], prev[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min_uint(row[j], prev2[j - 2] + 1);
		}
	}
	return rows[na % 3][nb];
}

void near_begin(struct near *near, const char *word)
{
	*near = (struct near){ .word = word, .len = strlen(word), .best = ~0U };
}

bool near_try(struct near *near, const char *name)
{
	size_t n = strlen(name), len = near->len, longer = len > n ? len : n;
	unsigned int distance;

	if (!len || len > NEAR_MAX || n > NEAR_MAX)
		return false;
	/* A prefix of at least two characters counts as one edit. */
	if (len > 1 && !strncmp(near->word, name, len))
		distance = 1;
	else if (longer - (len < n ? len : n) > longer / 3)
		return false;
	else
		distance = count_edits(near->word, len, name, n);
	if ((distance > longer / 3 || distance >= n) && strncmp(near->word, name, len))
		return false;
	/* With equal distance, prefer the name of similar length. */
	distance = distance * (NEAR_MAX + 1) + (unsigned int)(longer - (len < n ? len : n));
	if (distance >= near->best)
		return false;
	near->best = distance;
	memcpy(near->name, name, n + 1);
	return true;
}

const char *opt_nearest(const char *word, const char *const *names)
{
	const char *found = NULL;
	struct near near;

	near_begin(&near, word);
	for (; *names; names++)
		if (near_try(&near, *names))
			found = *names;
	return found;
}
