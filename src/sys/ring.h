/* SPDX-License-Identifier: MIT */
/* The reading end of a BPF ring buffer map. */
#ifndef SYS_RING_H
#define SYS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

struct ring {
	int fd; /* the map's, the caller's; poll(2) it for reading */
	uint64_t mask;
	size_t page;
	bool wide; /* positions have 64 bits, as the kernel's long; else 32, and they go round */
	void *consumer;
	const void *producer;
	/* The kernel would map it twice in a row, so that no record is split. But both count as the
	 * process's memory, which a copy of a split one now and then does not. */
	const uint8_t *data;
	struct buf whole; /* that copy */
};

/* size: the map's max_entries, a power of two of whole pages. To be called before anything is
 * attached that writes into the ring. */
int ring_open(struct ring *r, int map_fd, uint32_t size);
void ring_close(struct ring *r);

/* Called with each record that the kernel has submitted; it is gone after the call. A value other
 * than 0 ends the reading behind that record. */
typedef int ring_each(const void *rec, size_t len, void *arg);
/* Read what is there by now, without waiting, and no more. Returns the last answer of each, or
 * -ENOMEM: a record is still there that could not be made one piece. */
int ring_read(struct ring *r, ring_each *each, void *arg);

#endif
