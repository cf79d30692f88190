/* SPDX-License-Identifier: MIT */
/* A private laboratory: two new network namespaces, joined by a veth pair, with real traffic
 * between them. Does not change the host; the kernel removes it when the process ends. */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/link.h"
#include "sys/netlink.h"

enum lab_side { LAB_NEAR, LAB_FAR, LAB_SIDES };

/* One side. The interfaces are named sonde0 (near) and sonde1 (far). The addresses are from the
 * documentation ranges (RFC 5737, RFC 3849). */
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

/* Creates the namespaces and the interfaces, both down, and moves this thread to the near side.
 * Returns 0 or -errno. Reports errors. */
int lab_open(struct lab *lab);
/* Sets both interfaces up. Returns 0 or -errno. Reports errors. */
int lab_up(struct lab *lab);
/* Moves this thread to a side. Returns 0 or -errno. Reports errors. */
int lab_enter(const struct lab *lab, enum lab_side side);
/* Moves this thread back to its original namespace. The kernel removes the laboratory with the last
 * descriptor of its namespaces. */
void lab_close(struct lab *lab);

/* Send traffic over ordinary sockets. family: AF_INET or AF_INET6. Each waits for every answer, so
 * packets are neither reordered nor lost. Each returns 0 or -errno; -ETIMEDOUT if an answer takes
 * longer than two seconds. The thread is on the near side before and after. None reports errors. */

/* Sends n datagrams of len bytes to the far side and, with echo, back. */
int lab_udp(const struct lab *lab, int family, unsigned int n, size_t len, bool echo);
/* Opens one connection, sends len bytes to the far side and len bytes back. The near side closes
 * it. */
int lab_tcp(const struct lab *lab, int family, size_t len);
/* Sends n echo requests with len bytes of payload, which the far kernel answers. */
int lab_ping(const struct lab *lab, int family, unsigned int n, size_t len);

#endif
