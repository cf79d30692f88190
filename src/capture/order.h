/* SPDX-License-Identifier: MIT */
/* Puts the blocks of several CPUs in order of time. */
#ifndef CAPTURE_ORDER_H
#define CAPTURE_ORDER_H

#include <string.h>
#include "capture/packet_buf.h"

/* Length of a block in bytes. */
static inline uint32_t order_block_len(const uint8_t *block)
{
	uint32_t len;

	memcpy(&len, block + 4, sizeof(len));
	return len;
}

/* Time of a packet's block in ns since the epoch. The block has at least 20 bytes. */
static inline uint64_t order_block_time(const uint8_t *block)
{
	uint32_t high, low;

	memcpy(&high, block + 12, sizeof(high));
	memcpy(&low, block + 16, sizeof(low));
	return (uint64_t)high << 32 | low;
}

/* Called with whole blocks that follow each other. Returning anything but 0 stops the merge. */
typedef int order_each(const uint8_t *blocks, size_t len, void *arg);

/* Passes on every block up to the time `until` (ns since the epoch) in order of time, provided that
 * each batch is in order. Advances .consumed of each batch. Stops early after a batch with has_next
 * set: call it again with fresh batches. Returns 0, what each() returned, or -EBADMSG. */
int order_batches(struct block_batch *batches, uint32_t n, uint64_t until, order_each *each,
		  void *arg);

#endif
