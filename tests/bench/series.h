/* SPDX-License-Identifier: MIT */
/* Measurements of one quantity, and their distribution. */
#ifndef TESTS_BENCH_SERIES_H
#define TESTS_BENCH_SERIES_H

enum { SERIES_MAX = 1000 };

struct series {
	double at[SERIES_MAX];
	unsigned int n;
};
struct spread {
	double min, p10, median, p90;
};
void series_add(struct series *s, double value);
struct spread series_spread(const struct series *s); /* zeros if the series is empty */
double series_median(const struct series *s);

#endif
