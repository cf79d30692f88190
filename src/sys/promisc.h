/* SPDX-License-Identifier: MIT */
/* Promiscuous mode while a descriptor is open: packet(7), PACKET_MR_PROMISC. */
#ifndef SYS_PROMISC_H
#define SYS_PROMISC_H

/* Enables promiscuous mode: the interface also receives frames for other addresses until *fd is
 * closed. Opens *fd if it is 0. Returns 0 or -errno. */
int promisc_add(int *fd, int ifindex);

#endif
