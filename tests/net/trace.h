/* SPDX-License-Identifier: MIT */
/* What the scenarios of sonde trace share. */
#ifndef TESTS_NET_TRACE_H
#define TESTS_NET_TRACE_H

#include "tests/net/net.h"

/* Where the kernel does not describe its types, nothing is traced. */
void trace_needs_types(void);
/* Where programs may not copy the kernel's memory, less is told. */
void trace_needs_memory(void);
/* What it has printed by now. */
const char *trace_out(struct sonde *s);
/* Lines of text that have all words. */
#define TRACE_LINES(text, ...) trace_lines(text, (const char *const[]){ __VA_ARGS__, NULL })
unsigned int trace_lines(const char *text, const char *const *words);

#endif
