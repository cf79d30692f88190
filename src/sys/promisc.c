/* SPDX-License-Identifier: MIT */
/* A packet socket that receives nothing itself but requests promiscuous mode. */
#include "sys/promisc.h"
#include <errno.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

int promisc_add(int *fd, int ifindex)
{
	struct packet_mreq all = { .mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC };

	if (!*fd) {
		int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

		if (sock < 0)
			return -errno;
		*fd = sock;
	}
	return setsockopt(*fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) < 0 ? -errno
											 : 0;
}
