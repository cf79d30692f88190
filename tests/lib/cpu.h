/* SPDX-License-Identifier: MIT */
/* A thread on one CPU: its caches, its counters, its share of the time. */
#ifndef TESTS_LIB_CPU_H
#define TESTS_LIB_CPU_H

/* This thread to that CPU. 0 or -errno: it is not online. */
int cpu_pin(int cpu);
/* To the one that it is on. */
void cpu_pin_here(void);

#endif
