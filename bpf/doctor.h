/* SPDX-License-Identifier: MIT */
/* Contract of the doctor's tracing programs: the packets that they report, and the record
 * format. */
#ifndef BPF_DOCTOR_H
#define BPF_DOCTOR_H

#include <linux/types.h>

enum { DOCTOR_RING_SIZE = 64 << 10 }; /* bytes: a whole page on every architecture */

struct doctor_conf {
	__u32 ifindex; /* of the receiving device */
	__u32 len;     /* bytes of the packet from the network header on */
};
_Static_assert(sizeof(struct doctor_conf) == 8, "doctor_conf is a contract");

/* Record in map `events` (ring buffer): one packet that matches the conf. */
struct doctor_event {
	__u64 time; /* ns, CLOCK_MONOTONIC */
	__u32 ifindex, len;
};
_Static_assert(sizeof(struct doctor_event) == 16, "doctor_event is a contract");

#endif
