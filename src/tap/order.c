/* SPDX-License-Identifier: MIT */
/* A merge that looks at the head of each block only, and hands on rows as long as they come. */
#include "tap/order.h"
#include <errno.h>
#include <string.h>

enum { BLOCK_MIN = 44 };

/* The time of a run's next block, or UINT64_MAX if there is none. */
static uint64_t next_time(const struct area_run *run)
{
	if (run->len - run->used < BLOCK_MIN)
		return UINT64_MAX;
	return order_block_time(run->at + run->used);
}

/* The run with the oldest block, and the time of the oldest of all others. */
static struct area_run *oldest(struct area_run *runs, uint32_t n, uint64_t *time, uint64_t *other)
{
	struct area_run *first = NULL;

	*time = *other = UINT64_MAX;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t t = next_time(&runs[i]);

		if (t < *time) {
			*other = *time;
			*time = t;
			first = &runs[i];
		} else if (t < *other) {
			*other = t;
		}
	}
	return first;
}

int order_runs(struct area_run *runs, uint32_t n, uint64_t until, order_each *each, void *arg)
{
	uint64_t time, other;
	struct area_run *run;
	int rc = 0;

	while (!rc && (run = oldest(runs, n, &time, &other)) && time <= until) {
		size_t from = run->used;

		if (other > until)
			other = until;
		do {
			uint32_t len = order_block_len(run->at + run->used);

			if (len < BLOCK_MIN || len > run->len - run->used)
				return -EBADMSG;
			run->used += len;
			time = next_time(run);
		} while (time <= other && time != UINT64_MAX);
		rc = each(run->at + from, run->used - from, arg);
		if (run->more && run->used == run->len)
			break;
	}
	return rc;
}
