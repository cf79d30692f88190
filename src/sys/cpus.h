/* SPDX-License-Identifier: MIT */
/* CPUs that are online. */
#ifndef SYS_CPUS_H
#define SYS_CPUS_H

/* Returns the highest number of an online CPU plus 1, or the number of possible CPUs if the former
 * is unknown; or -errno. For tables by CPU number that would be too large for all possible CPUs:
 * virtual machines may have hundreds. */
int cpus_online(void);

#endif
