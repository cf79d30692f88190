/* SPDX-License-Identifier: MIT */
/* Which known name a mistyped word was meant to be. */
#include "base/near.h"
#include <string.h>
#include "base/opt.h"

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Slips between two words: a letter too many, missing, wrong, or two swapped. Of the table three
 * rows are kept. */
static unsigned int slips(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned int rows[3][NEAR_MAX + 1];

	for (size_t i = 0; i <= na; i++) {
		unsigned int *d = rows[i % 3];
		const unsigned int *one = rows[(i + 2) % 3], *two = rows[(i + 1) % 3];

		for (size_t j = 0; j <= nb; j++) {
			if (!i || !j) {
				d[j] = (unsigned int)(i + j);
				continue;
			}
			d[j] = least(one[j], d[j - 1]) + 1;
			d[j] = least(d[j], one[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[j] = least(d[j], two[j - 2] + 1);
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
	unsigned int d;

	if (!len || len > NEAR_MAX || n > NEAR_MAX)
		return false;
	/* A word cut short is as good as one slip, from two letters on. */
	if (len > 1 && !strncmp(near->word, name, len))
		d = 1;
	else if (longer - (len < n ? len : n) > longer / 3)
		return false;
	else
		d = slips(near->word, len, name, n);
	if ((d > longer / 3 || d >= n) && strncmp(near->word, name, len))
		return false;
	/* Of some with as many slips the one that is as long. */
	d = d * (NEAR_MAX + 1) + (unsigned int)(longer - (len < n ? len : n));
	if (d >= near->best)
		return false;
	near->best = d;
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
