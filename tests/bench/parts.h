/* SPDX-License-Identifier: MIT */
/* Shared by the benchmarks that send packets: their parts, their options, and their goals. */
#ifndef TESTS_BENCH_PARTS_H
#define TESTS_BENCH_PARTS_H

#include <stdbool.h>
#include "tests/bench/wire.h"

struct bench; /* defined by each benchmark */

struct part {
	const char *name, *about;
	bool wire;                   /* needs the wire */
	int (*run)(struct bench *b); /* prints its section. 0 or -errno. Reports errors. */
};

/* Whether a name is in a list "a,b,c". NULL is the list of all. */
bool bench_is_selected(const char *list, const char *name);

/* The user's options. */
struct bench_opts {
	unsigned int rounds, quick_rounds; /* quick_: with option -q */
	double seconds, quick_seconds;     /* duration of a flood */
	const char *parts, *contenders;    /* lists of parts and of contenders; NULL: all */
	const char *dir;                   /* directory for files on a disk */
	char sonde[4096];
};
/* optstring: the benchmark's options, as for getopt(3). o: has the defaults. False: wrong usage. */
bool bench_parse_opts(struct bench_opts *o, const char *optstring, int argc, char **argv);

/* Prints the first line: the benchmark, the host and the rounds. */
void bench_print_header(const char *name, const struct bench_opts *o);
/* Runs the parts in the list until one fails. Opens the wire for the first one that needs it, and
 * closes it at the end. */
int parts_run(const struct part *parts, unsigned int n, const char *list, struct bench *b,
	      struct wire *wire);
void parts_print_usage(const struct part *parts, unsigned int n);

/* A goal, a row in the table at the end: a limit on a value. */
enum goal_kind { GOAL_AT_MOST, GOAL_AT_LEAST };
struct goal {
	const char *what;
	enum goal_kind kind;
	double limit;
	const char *unit;
};
/* Adds a goal with its result. who: the contender. */
void goals_add(const struct goal *goal, const char *who, bool measured, double value);
void goals_print(void);

#endif
