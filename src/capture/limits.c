/* SPDX-License-Identifier: MIT */
/* Bounds that keep packets in order and files growing in large pieces, without visible delay. */
#include "capture/limits.h"
#include "capture/order.h"

#define MS UINT64_C(1000000)

enum { FULL_MS = 50, PARTIAL_MS = 200, STALL_MS = 200 };

size_t limits_cut(struct capture_limits *l, const struct capture_file *f, const uint8_t *blocks,
		  size_t len)
{
	uint64_t left = l->count - l->delivered;
	size_t at = 0;

	for (uint32_t n; at < len && left; at += n) {
		n = order_block_len(blocks + at);
		left -= capture_file_count_packets(f, blocks + at, n);
	}
	l->delivered = l->count - left;
	return at;
}

bool limits_partial_due(const struct capture_limits *l, uint64_t now)
{
	return now - l->full_ns > FULL_MS * MS || now - l->partial_ns > PARTIAL_MS * MS;
}

bool limits_older_may_come(struct capture_limits *l, bool writing, uint64_t now)
{
	if (!writing)
		l->idle_ns = now;
	return writing && now - l->idle_ns < STALL_MS * MS;
}

uint64_t limits_wait_until(uint64_t pause, uint64_t due_real, uint64_t now, uint64_t now_real)
{
	if (pause)
		return now + pause;
	if (due_real == UINT64_MAX)
		return UINT64_MAX;
	/* a little later, so that it is due by every clock */
	return now + (due_real > now_real ? due_real - now_real : 0) + MS;
}
