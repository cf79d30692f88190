/* SPDX-License-Identifier: MIT */
/* Other programs: whether they are installed, and what a run costs. */
#ifndef TESTS_BENCH_RUN_H
#define TESTS_BENCH_RUN_H

#include <stdbool.h>
#include <sys/time.h>
#include <sys/types.h>

/* Adds the sbin directories to PATH, which some users do not have there. */
void run_extend_path(void);
/* Whether a program, a name or a path, can be run. */
bool run_in_path(const char *name);

/* Results of one run. err: the first line of stderr. */
struct run {
	double cpu_ms, wall_ms;
	long peak_kib; /* only with memory, otherwise 0 */
	char err[256];
};
/* memory: stops it at its exit to read its peak memory, which makes its times invalid. 0 or -errno;
 * -EIO if the program failed. Reports errors. */
int run_program(const char *const *argv, bool memory, struct run *run);

/* A process's peak resident memory so far; 0: unknown. */
long run_peak_kib(pid_t pid);
double run_timeval_ms(const struct timeval *tv);

#endif
