/* SPDX-License-Identifier: MIT */
/* A merge that reads only the head of each block, and passes on as many blocks at once as follow
 * each other. */
#include "capture/order.h"
#include <errno.h>
#include <string.h>

enum { BLOCK_MIN = 44 };

/* Time of the batch's next block; UINT64_MAX if it has no more. */
static uint64_t next_block_time(const struct block_batch *batch)
{
	if (batch->len - batch->consumed < BLOCK_MIN)
		return UINT64_MAX;
	return order_block_time(batch->at + batch->consumed);
}

/* Returns the batch with the oldest block, its time in *time, and in *other the oldest time of all
 * other batches. */
static struct block_batch *find_oldest(struct block_batch *batches, uint32_t n, uint64_t *time,
				       uint64_t *other)
{
	struct block_batch *first = NULL;

	*time = *other = UINT64_MAX;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t t = next_block_time(&batches[i]);

		if (t < *time) {
			*other = *time;
			*time = t;
			first = &batches[i];
		} else if (t < *other) {
			*other = t;
		}
	}
	return first;
}

int order_batches(struct block_batch *batches, uint32_t n, uint64_t until, order_each *each,
		  void *arg)
{
	uint64_t time, other;
	struct block_batch *batch;
	int rc = 0;

	while (!rc && (batch = find_oldest(batches, n, &time, &other)) && time <= until) {
		size_t from = batch->consumed;

		if (other > until)
			other = until;
		do {
			uint32_t len = order_block_len(batch->at + batch->consumed);

			if (len < BLOCK_MIN || len > batch->len - batch->consumed)
				return -EBADMSG;
			batch->consumed += len;
			time = next_block_time(batch);
		} while (time <= other && time != UINT64_MAX);
		rc = each(batch->at + from, batch->consumed - from, arg);
		if (batch->has_next && batch->consumed == batch->len)
			break;
	}
	return rc;
}
