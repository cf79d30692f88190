/* SPDX-License-Identifier: MIT */
/* The kernel's tick counter, which programs read for next to nothing. */
#ifndef SYS_JIFFIES_H
#define SYS_JIFFIES_H

#include <stdint.h>

/* What bpf_jiffies64() gives a program now (a program of its own is run for it), and how many there
 * are a second. -errno. */
int jiffies_read(uint64_t *now, uint64_t *hz);

#endif
