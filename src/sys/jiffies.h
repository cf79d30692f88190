/* SPDX-License-Identifier: MIT */
/* The kernel's tick counter (jiffies), the cheapest clock for BPF programs. */
#ifndef SYS_JIFFIES_H
#define SYS_JIFFIES_H

#include <stdint.h>

/* Gets the current value of bpf_jiffies64(), by running a program, and the number of ticks per
 * second. Returns 0 or -errno. */
int jiffies_read(uint64_t *now, uint64_t *hz);

#endif
