/* SPDX-License-Identifier: MIT */
/* Pins the calling thread to a CPU. */
#ifndef TESTS_LIB_CPU_H
#define TESTS_LIB_CPU_H

/* 0 or -errno: the CPU is not online. */
int cpu_pin(int cpu);
/* Pins to the current CPU. */
void cpu_pin_here(void);

#endif
