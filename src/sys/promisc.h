/* SPDX-License-Identifier: MIT */
/* Promiscuous mode for as long as a descriptor is open: packet(7), PACKET_MR_PROMISC. */
#ifndef SYS_PROMISC_H
#define SYS_PROMISC_H

/* The interface takes frames that are for others, too, until *fd is closed; *fd is opened if it is
 * 0. 0 or -errno. */
int promisc_add(int *fd, int ifindex);

#endif
