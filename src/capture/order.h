/* SPDX-License-Identifier: MIT */
/* Runs of blocks of several CPUs put in the order of time. */
#ifndef CAPTURE_ORDER_H
#define CAPTURE_ORDER_H

#include <string.h>
#include "capture/packet_buf.h"

/* Bytes of the block that begins there. */
static inline uint32_t order_block_len(const uint8_t *block)
{
	uint32_t len;

	memcpy(&len, block + 4, sizeof(len));
	return len;
}

/* Its time, in ns since the epoch: a packet's block of at least 20 bytes. */
static inline uint64_t order_block_time(const uint8_t *block)
{
	uint32_t high, low;

	memcpy(&high, block + 12, sizeof(high));
	memcpy(&low, block + 16, sizeof(low));
	return (uint64_t)high << 32 | low;
}

/* Called with whole blocks that follow each other; 0 goes on, else it ends there. */
typedef int order_each(const uint8_t *blocks, size_t len, void *arg);

/* Every block of the runs with a time (ns since the epoch) of at most until, in order of time as
 * far as each run is; used says how far each run was handed out. It ends early behind a run that
 * goes on elsewhere: take again then. 0, what each() returned, or -EBADMSG. */
int order_batches(struct block_batch *batches, uint32_t n, uint64_t until, order_each *each,
		  void *arg);

#endif
