/* SPDX-License-Identifier: MIT */
/* Shows the verifier's reasons when it refuses a program. */
#ifndef OBJ_LOG_H
#define OBJ_LOG_H

#include <stdbool.h>
#include "sys/bpf.h"

/* Loads the program once more with a log. Reports what failed in one line, followed by the log's
 * last useful lines, or by all of it with verbose. For a program that is too complex for the
 * verifier, reports only that, with the reason. rc: the error of the first try. Returns rc. */
int log_explain(const struct bpf_prog_opts *prog, int rc, bool verbose);

/* Returns the start of the last n lines of log with content. Cuts off in place the summary of
 * instructions, times and stack depths, which has none. */
char *log_tail(char *log, int n);

#endif
