/* SPDX-License-Identifier: MIT */
/* The benchmark's wire: a veth pair between two namespaces, and a packet generator at its near end.
 * The generator and what its packets set off run on the first CPU, receivers on the second. */
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
	/* When the measuring began, what had been sent then, how long others had had the CPU. */
	uint64_t start_ns, start_sent, start_wait_ns;
};

struct wire_flood {
	unsigned int size; /* bytes of a frame, without FCS */
	uint64_t rate;     /* packets a second; 0: as fast as it goes */
	unsigned int match_every;
	uint32_t sources; /* as in struct flood_conf */
	bool broadcast; /* to everybody's MAC address: the far end's IP counts what comes through */
	bool slices;    /* slice_ns is wanted */
};
struct wire_sent {
	uint64_t sent;
	double rate;      /* that was reached */
	double packet_ns; /* its CPU's time for one; others' share of that CPU is not in it */
	double slice_ns;  /* the same of short slices: that of the quickest tenth, for what disturbs
			   * only  adds */
};

/* Errors are said; 0 or -errno. */
int wire_open(struct wire *w);
void wire_close(struct wire *w);
/* Send until wire_stop(): an ended process or thread leaves nothing behind. */
int wire_start(struct wire *w, const struct wire_flood *flood);
int wire_stop(struct wire *w, struct wire_sent *sent);
/* How many have been sent by now; 0 if nothing is being sent. */
uint64_t wire_count_sent(const struct wire *w);
/* Packets that have come in at the far end, by its own statistics. */
int wire_read_received(struct wire *w, uint64_t *packets);

/* A frame as the generator sends it. */
void wire_make_frame(uint8_t *frame, unsigned int size);

void wire_sleep(double seconds);

#endif
