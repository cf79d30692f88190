/* SPDX-License-Identifier: MIT */
/* What a trace came to: counts and times by destination, drops by reason and place. */
#ifndef TRACE_SUMMARY_H
#define TRACE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bpf/trace.h"

enum {
	TRACE_SUM_DESTS = 2048, /* what comes beyond that is counted together */
	TRACE_SUM_STEPS = 4,    /* of a histogram, for each power of two */
	TRACE_SUM_BINS = 40 * TRACE_SUM_STEPS,
};

/* Where connections go: a host and its port, or a port of this host. */
struct trace_dest {
	uint8_t addr[16];
	uint16_t port;
	uint8_t family, used, incoming, outgoing;
	uint64_t made, failed, closed, sent, received, retransmits;
	uint32_t times[TRACE_SUM_BINS]; /* how long they took to be made, or waited */
};

/* Zeroed: not begun. */
struct trace_sum {
	struct trace_dest *dests; /* TRACE_SUM_DESTS, and one for the others */
	bool beyond;
};

int trace_sum_open(struct trace_sum *sum);
void trace_sum_add(struct trace_sum *sum, const struct trace_head *rec);
/* A percentile (0 to 1) of the times until connections were established, or waited to be accepted:
 * nanoseconds. NAN if there were none. */
double trace_dest_percentile(const struct trace_dest *d, double part);
/* The destinations, busiest first; order has room for TRACE_SUM_DESTS. Returns their number. */
size_t trace_sum_order(const struct trace_sum *sum, const struct trace_dest **order);
void trace_sum_close(struct trace_sum *sum);

#endif
