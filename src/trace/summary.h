/* SPDX-License-Identifier: MIT */
/* Sums up a trace: counts and latencies by destination. */
#ifndef TRACE_SUMMARY_H
#define TRACE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bpf/trace.h"

enum {
	TRACE_SUM_DESTS = 2048, /* further destinations are counted together */
	TRACE_SUM_STEPS = 4,    /* bins of a histogram for each power of two */
	TRACE_SUM_BINS = 40 * TRACE_SUM_STEPS,
};

/* A remote address and port, or a local port. */
struct trace_dest {
	uint8_t addr[16];
	uint16_t port;
	uint8_t family, used, incoming, outgoing;
	uint64_t opened, failed, closed, sent, received, retransmits;
	uint32_t latencies[TRACE_SUM_BINS]; /* until established, or until accepted */
};

/* Zeroed: closed. */
struct trace_sum {
	struct trace_dest *dests; /* TRACE_SUM_DESTS, and one for all others */
	bool overflowed;
};

int trace_sum_open(struct trace_sum *sum);
void trace_sum_add(struct trace_sum *sum, const struct trace_head *rec);
/* A percentile (part: 0 to 1) of the times until connections were established or accepted, in
 * nanoseconds. NAN if there were none. */
double trace_dest_percentile(const struct trace_dest *d, double part);
/* Fills order (room for TRACE_SUM_DESTS) with the destinations, busiest first. Returns their
 * number. */
size_t trace_sum_sort(const struct trace_sum *sum, const struct trace_dest **order);
void trace_sum_close(struct trace_sum *sum);

#endif
