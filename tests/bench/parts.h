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
bool bench_is_selected(const char *list, const char *name);

/* What the user asks for. */
struct bench_opts {
	unsigned int rounds, quick_rounds; /* quick_: those of option -q */
	double seconds, quick_seconds;     /* of a flood */
	const char *parts, *contenders;    /* names of parts, of contenders; NULL: all */
	const char *dir;                   /* for what is written to a disk */
	char sonde[4096];
};
/* letters: which of the options a benchmark has, as getopt(3) takes them; o: what holds without
 * any. False: wrong usage. */
bool bench_parse_opts(struct bench_opts *o, const char *optstring, int argc, char **argv);

/* The first lines: which benchmark, where, and what its numbers are of. */
void bench_print_header(const char *name, const struct bench_opts *o);
/* Those of the list, in turn, until one fails; the wire is made for the first that needs it, and
 * gone afterwards. */
int parts_run(const struct part *parts, unsigned int n, const char *list, struct bench *b,
	      struct wire *wire);
void parts_print_usage(const struct part *parts, unsigned int n);

/* A goal: value to a limit; rows of the table at the end. who: of whom. */
enum goal_kind { GOAL_AT_MOST, GOAL_AT_LEAST };
struct goal {
	const char *what;
	enum goal_kind kind;
	double limit;
	const char *unit;
};
void goals_add(const struct goal *goal, const char *who, bool measured, double value);
void goals_print(void);

#endif
