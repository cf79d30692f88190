/* SPDX-License-Identifier: MIT */
/* The kernel silently interprets programs that its JIT cannot compile. Here the test that loads
 * such a program fails. */
#ifndef TESTS_RUN_JIT_H
#define TESTS_RUN_JIT_H

/* Finds out whether the kernel's JIT is on. Call it before the first test: from then on a test
 * fails if the JIT does not compile a program that it loads. */
void jit_watch(void);

#endif
