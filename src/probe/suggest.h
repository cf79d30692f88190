/* SPDX-License-Identifier: MIT */
/* Errors for names that do not exist here, with the most similar name that does. */
#ifndef PROBE_SUGGEST_H
#define PROBE_SUGGEST_H

#include "sys/elf.h"

/* text: the target as typed. All of these return -ENOENT and report errors. */

/* For a function of the kernel, which may exist but refuse probes. */
int suggest_function(const char *text, const char *name);
/* For a tracepoint of tracefs. */
int suggest_tracepoint(const char *text, const char *category, const char *name);
/* For a tracepoint by its name alone. */
int suggest_raw(const char *text, const char *name);
/* For a system call; prefix: "sys_enter_" or "sys_exit_". */
int suggest_syscall(const char *text, const char *prefix, const char *name);
/* For a function of a program or library. */
int suggest_symbol(const char *text, const struct elf *e, const char *name);

#endif
