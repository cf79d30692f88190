/* SPDX-License-Identifier: MIT */
/* Sums up a trace: counts and latencies by destination. */
#ifndef TRACE_SUMMARY_H
#define TRACE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bpf/trace.h"

enum {
	TRACE_SUM_DESTS = 2048, /* further destinations are counted together, */
	TRACE_SUM_OTHERS = 3,   /* by direction: out, in, unknown */
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

/* What makes a destination. */
enum trace_sum_key { TRACE_SUM_BY_ADDRESS, TRACE_SUM_BY_PORT };

/* Zeroed: closed. */
struct trace_sum {
	/* TRACE_SUM_DESTS of them, then TRACE_SUM_OTHERS for the rest; .used: it counts events */
	struct trace_dest *dests;
	enum trace_sum_key key;
};

/* By port, destinations have neither address nor family. Returns 0 or -errno. Reports errors. */
int trace_sum_open(struct trace_sum *sum, enum trace_sum_key key);
void trace_sum_add(struct trace_sum *sum, const struct trace_head *rec);
/* Returns a percentile (part: 0 to 1) of the times until connections were established or accepted,
 * in nanoseconds. NAN: no connections. */
double trace_dest_percentile(const struct trace_dest *d, double part);
/* Fills order (room for TRACE_SUM_DESTS) with the destinations, busiest first. Returns their
 * number. */
size_t trace_sum_sort(const struct trace_sum *sum, const struct trace_dest **order);
void trace_sum_close(struct trace_sum *sum);

#endif
