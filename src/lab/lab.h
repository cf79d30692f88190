/* SPDX-License-Identifier: MIT */
/* A private laboratory: two new network namespaces, joined by a veth pair, and real traffic between
 * them. It changes nothing on the host, and disappears with the process. */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/link.h"
#include "sys/netlink.h"

enum lab_side { LAB_NEAR, LAB_FAR, LAB_SIDES };

/* One end. The interfaces are named sonde0 (near) and sonde1 (far). The addresses are from the
 * ranges for documentation (RFC 5737, RFC 3849). */
struct lab_end {
	int netns; /* descriptor */
	struct nl nl;
	struct link link;
};

/* Zeroed: closed. */
struct lab {
	struct lab_end end[LAB_SIDES];
	int home;  /* descriptor of the namespace in which lab_open() was called */
	bool ipv6; /* this kernel has IPv6 */
};

/* Makes it, with both interfaces down, and moves this thread to the near side. Returns 0 or -errno.
 * Reports errors. */
int lab_open(struct lab *lab);
/* Sets both interfaces up. Returns 0 or -errno. Reports errors. */
int lab_up(struct lab *lab);
/* Moves this thread to a side. Returns 0 or -errno. Reports errors. */
int lab_enter(const struct lab *lab, enum lab_side side);
/* Moves this thread back. The namespaces end with their last descriptor. */
void lab_close(struct lab *lab);

/* Traffic from ordinary sockets. family: AF_INET or AF_INET6. Each waits for every answer, so
 * packets are neither reordered nor lost. Each returns 0 or -errno, -ETIMEDOUT if an answer takes
 * longer than two seconds. The thread is on the near side before and after. None reports errors. */

/* Sends n datagrams of len bytes to the far side and, with echo, back. */
int lab_udp(const struct lab *lab, int family, unsigned int n, size_t len, bool echo);
/* One connection: len bytes to the far side and as many back. The near side closes it. */
int lab_tcp(const struct lab *lab, int family, size_t len);
/* n echo requests with len bytes of payload, answered by the far kernel. */
int lab_ping(const struct lab *lab, int family, unsigned int n, size_t len);

#endif
