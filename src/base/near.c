/* SPDX-License-Identifier: MIT */
/* Which known name a mistyped word was meant to be. */
#include <string.h>
#include "base/opt.h"

#define WORD_MAX_ 31

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Slips between two words: a letter too many, missing, wrong, or two swapped. */
static unsigned int slips(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned int d[WORD_MAX_ + 1][WORD_MAX_ + 1];

	for (size_t i = 0; i <= na; i++) {
		for (size_t j = 0; j <= nb; j++) {
			if (!i || !j) {
				d[i][j] = (unsigned int)(i + j);
				continue;
			}
			d[i][j] = least(d[i - 1][j], d[i][j - 1]) + 1;
			d[i][j] = least(d[i][j], d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[na][nb];
}

const char *opt_nearest(const char *word, const char *const *names)
{
	size_t len = strlen(word);
	unsigned int best = ~0U;
	const char *near = NULL;

	if (!len || len > WORD_MAX_)
		return NULL;
	for (; *names; names++) {
		size_t n = strlen(*names);
		unsigned int d;

		if (n > WORD_MAX_)
			continue;
		d = slips(word, len, *names, n);
		if (d > (len > n ? len : n) / 3 || d >= n)
			/* a word cut short is as good as one slip, from two letters on */
			d = len > 1 && !strncmp(word, *names, len) ? 1 : ~0U;
		if (d < best) {
			best = d;
			near = *names;
		}
	}
	return near;
}
