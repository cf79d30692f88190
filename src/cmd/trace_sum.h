/* SPDX-License-Identifier: MIT */
/* What a trace came to: counts and times by destination, drops by reason and place. */
#ifndef CMD_TRACE_SUM_H
#define CMD_TRACE_SUM_H

#include "cmd/trace_say.h"
#include "out/sink.h"

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
/* Of those that were met, the busiest first. 0 or -errno. */
int trace_sum_show(const struct trace_sum *sum, struct sink *sink);
/* Packets by reason and place, as the kernel counted them. 0 or -errno. */
int trace_sum_drops(struct trace_say *say, struct sink *sink);
void trace_sum_close(struct trace_sum *sum);

#endif
