/* SPDX-License-Identifier: MIT */
/* The benchmark's wire: a veth pair between two namespaces, with a packet generator at its near
 * end. The generator, with all that its packets cause, runs on the first CPU, receivers on the
 * second. */
#ifndef TESTS_BENCH_WIRE_H
#define TESTS_BENCH_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "lab/lab.h"
#include "obj/obj.h"

enum { WIRE_CPU_SEND, WIRE_CPU_RECEIVE, WIRE_CPUS };
#define WIRE_IFACE "sonde1" /* the receiving end, as lab.h names it */

/* Zeroed: closed. */
struct wire {
	struct lab lab;
	struct obj flood;
	pid_t sender;
	/* At the start of the measurement: the time, the sent packets, the generator's wait for its
	 * CPU. */
	uint64_t start_ns, start_sent, start_wait_ns;
};

struct wire_flood {
	unsigned int size; /* bytes of a frame, without FCS */
	uint64_t rate;     /* packets per second; 0: as fast as possible */
	unsigned int match_every;
	uint32_t sources; /* as in struct flood_conf */
	bool broadcast;   /* to the broadcast MAC address, so that IP at the far end counts the
			     packets */
	bool slices;      /* measure slice_ns */
};
struct wire_sent {
	uint64_t sent;
	double rate;      /* sent packets per second */
	double packet_ns; /* the CPU's time per packet, without other processes' share */
	double slice_ns;  /* the same by short slices: the 10th percentile, since disturbances only
			     add time */
};

/* 0 or -errno. They report errors. */
int wire_open(struct wire *w);
void wire_close(struct wire *w);
/* Sends until wire_stop(). Stops also when the calling process or thread ends. */
int wire_start(struct wire *w, const struct wire_flood *flood);
int wire_stop(struct wire *w, struct wire_sent *sent);
/* Number of packets sent so far; 0 if none are being sent. */
uint64_t wire_count_sent(const struct wire *w);
/* Number of packets received at the far end, by its statistics. */
int wire_read_received(struct wire *w, uint64_t *packets);

/* Makes a frame as the generator sends it. */
void wire_make_frame(uint8_t *frame, unsigned int size);

void wire_sleep(double seconds);

#endif
