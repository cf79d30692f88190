/* SPDX-License-Identifier: MIT */
/* Decides when a live capture writes, how long it pauses, and when it ends. Times are in ns, of
 * clock_mono() unless their names say otherwise. */
#ifndef CAPTURE_LIMITS_H
#define CAPTURE_LIMITS_H

#include "capture/file.h"

struct capture_limits {
	uint64_t count;      /* end after this many packets; 0: no limit */
	uint64_t end_ns;     /* end then; 0: no limit */
	uint64_t delivered;  /* packets, where they are counted one by one */
	uint64_t full_ns;    /* when full chunks were last written */
	uint64_t partial_ns; /* when other chunks were last written */
	uint64_t idle_ns;    /* when no CPU was last seen writing */
};

static inline bool limits_reached(const struct capture_limits *l)
{
	return l->count && l->delivered == l->count;
}

static inline bool limits_time_is_up(const struct capture_limits *l, uint64_t now)
{
	return l->end_ns && now >= l->end_ns;
}

/* Counts packets in blocks of a file up to the limit. Returns the bytes of the blocks that hold
 * them. */
size_t limits_cut(struct capture_limits *l, const struct capture_file *f, const uint8_t *blocks,
		  size_t len);

/* Decides whether to write chunks that are still being filled. They wait for more packets, but not
 * for long after the last full chunk, nor after the last time they were written. */
bool limits_partial_due(const struct capture_limits *l, uint64_t now);

/* Returns true if a packet older than those collected may still arrive. writing: a CPU was seen
 * writing now. One that never stops is not waited for. */
bool limits_older_may_come(struct capture_limits *l, bool writing, uint64_t now);

/* Until when to wait for packets: a pause (ns) if there was something, else until the next file is
 * due (due_real: since the epoch; UINT64_MAX: never). */
uint64_t limits_wait_until(uint64_t pause, uint64_t due_real, uint64_t now, uint64_t now_real);

#endif
