/* SPDX-License-Identifier: MIT */
/* A private laboratory: two fresh network namespaces joined by a veth pair, and real traffic
 * between them. Nothing of the host's is touched, and all of it vanishes with the process. */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/link.h"
#include "sys/netlink.h"

enum lab_side { LAB_NEAR, LAB_FAR, LAB_SIDES };

/* One end. Interfaces are named sonde0 (near) and sonde1 (far); addresses come from the ranges for
 * documentation (RFC 5737, RFC 3849). */
struct lab_end {
	int netns; /* descriptor */
	struct nl nl;
	struct link link;
};

/* Zeroed: closed. */
struct lab {
	struct lab_end end[LAB_SIDES];
	int home;  /* descriptor of the namespace that lab_open() was called in */
	bool ipv6; /* this kernel has it */
};

/* Make it, both interfaces still down, and move this thread to the near side. Errors are said. */
int lab_open(struct lab *lab);
/* Switch both interfaces on. */
int lab_up(struct lab *lab);
/* Move this thread to a side. */
int lab_enter(const struct lab *lab, enum lab_side side);
/* Back home; the namespaces end with their last descriptor. */
void lab_close(struct lab *lab);

/* Traffic, from ordinary sockets. family: AF_INET or AF_INET6. All wait for each answer (so nothing
 * overtakes or is lost on the way), and return 0 or -errno; -ETIMEDOUT if an answer does not come
 * within two seconds. The thread is on the near side before and after. */

/* n datagrams of len bytes there and, with echo, back. */
int lab_udp(const struct lab *lab, int family, unsigned int n, size_t len, bool echo);
/* One connection: len bytes there, as many back, closed by the near side. */
int lab_tcp(const struct lab *lab, int family, size_t len);
/* n echo requests with len bytes of payload, answered by the far kernel. */
int lab_ping(const struct lab *lab, int family, unsigned int n, size_t len);

#endif
