/* SPDX-License-Identifier: MIT */
/* What the benchmarks on the wire share: parts that are run in turn, words chosen from a list, and
 * the goals that the numbers are held to. */
#ifndef TESTS_BENCH_PARTS_H
#define TESTS_BENCH_PARTS_H

#include <stdbool.h>
#include "tests/bench/wire.h"

struct bench; /* each benchmark has its own */

struct part {
	const char *name, *about;
	bool wire;                   /* it needs one */
	int (*run)(struct bench *b); /* prints its section; 0 or -errno after saying why */
};

/* Is this word in a list "a,b,c"? NULL is the list of all. */
bool bench_chosen(const char *list, const char *word);

/* The first lines: which benchmark, where, and what its numbers are of. */
void bench_head(const char *name, unsigned int rounds, double seconds);
/* Those of the list, in turn, until one fails; the wire is made for the first that needs it, and
 * gone afterwards. */
int parts_run(const struct part *parts, unsigned int n, const char *list, struct bench *b,
	      struct wire *wire);
void parts_usage(const struct part *parts, unsigned int n);

/* A goal: value to a limit; rows of the table at the end. who: of whom. */
enum goal_kind { GOAL_AT_MOST, GOAL_AT_LEAST };
struct goal {
	const char *what;
	enum goal_kind kind;
	double limit;
	const char *unit;
};
void goal_met(const struct goal *goal, const char *who, bool measured, double value);
void goals_print(void);

#endif
