/* SPDX-License-Identifier: MIT */
/* Medians, which single disturbed runs do not change. */
#include "tests/bench/series.h"
#include <stdlib.h>

static int compare_values(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void series_add(struct series *s, double value)
{
	if (s->n < SERIES_MAX)
		s->at[s->n++] = value;
}

struct spread series_spread(const struct series *s)
{
	struct series sorted = *s;
	unsigned int n = s->n;

	if (!n)
		return (struct spread){ 0 };
	qsort(sorted.at, n, sizeof(*sorted.at), compare_values);
	return (struct spread){
		.min = sorted.at[0],
		.p10 = sorted.at[(n - 1) / 10],
		.median = (sorted.at[(n - 1) / 2] + sorted.at[n / 2]) / 2,
		.p90 = sorted.at[(n - 1) * 9 / 10],
	};
}

double series_median(const struct series *s)
{
	return series_spread(s).median;
}
