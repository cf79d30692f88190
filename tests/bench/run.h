/* SPDX-License-Identifier: MIT */
/* Other programs: whether they are there, and what running one takes. */
#ifndef TESTS_BENCH_RUN_H
#define TESTS_BENCH_RUN_H

#include <stdbool.h>
#include <sys/time.h>
#include <sys/types.h>

/* Network tools are the administrator's, whose path has directories that others' may not. */
void run_extend_path(void);
/* Is this program, a name or a path, there to be run? */
bool run_in_path(const char *name);

/* One program run to its end. err: what it wrote to stderr. */
struct run {
	double cpu_ms, wall_ms;
	long peak_kib; /* with memory; else 0 */
	char err[256];
};
/* memory: stop it at its exit to read its peak memory, which spoils its times. 0, or -errno after
 * saying why; a failed program is -EIO. */
int run_program(const char *const *argv, bool memory, struct run *run);

/* A process's peak resident memory so far; 0: /proc does not tell. */
long run_peak_kib(pid_t pid);
double run_timeval_ms(const struct timeval *tv);

#endif
