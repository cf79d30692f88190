/* SPDX-License-Identifier: MIT */
/* The verifier's reasons, shown when a program is refused. */
#ifndef OBJ_LOG_H
#define OBJ_LOG_H

#include <stdbool.h>
#include "sys/bpf.h"

/* Load the program once more with a log and print one line that says what failed, then the log's
 * last useful lines, or all of it with verbose. A program that is too complex for the verifier has
 * only that line, with the reason. rc: the error of the first try. Returns rc. */
int log_explain(const struct bpf_prog_new *prog, int rc, bool verbose);

/* The start of the last n lines of log that say something (its summary of instructions, times and
 * stack depths does not). Cuts that summary off in place. */
char *log_tail(char *log, int n);

#endif
