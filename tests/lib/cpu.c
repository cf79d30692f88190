/* SPDX-License-Identifier: MIT */
/* A thread's affinity. */
#define _GNU_SOURCE
#include "tests/lib/cpu.h"
#include <errno.h>
#include <sched.h>

int cpu_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned int)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

void cpu_pin_here(void)
{
	int cpu = sched_getcpu();

	cpu_pin(cpu < 0 ? 0 : cpu);
}
