/* SPDX-License-Identifier: MIT */
/* Programs that the kernel's JIT gave up run interpreted, and nothing says so: here they fail the
 * test that loads them. */
#ifndef TESTS_RUN_JIT_H
#define TESTS_RUN_JIT_H

/* Find out whether this kernel compiles programs; before the first test. From then on every
 * program that a test loads has to be compiled. */
void jit_watch(void);

/* The test: every program of sonde that this kernel loads, and those of a trace of everything. */
void jit_compiles(void);

#endif
