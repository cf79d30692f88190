/* SPDX-License-Identifier: MIT */
/* Which CPUs can run programs now. */
#ifndef SYS_CPUS_H
#define SYS_CPUS_H

/* One more than the highest number of a CPU that is online: enough for what is kept by number and
 * is too large to be kept for each possible one, of which virtual machines have hundreds. The
 * number of possible CPUs if it is not known. -errno. */
int cpus_online(void);

#endif
