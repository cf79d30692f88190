/* SPDX-License-Identifier: MIT */
/* The reading end of a BPF ring buffer map. */
#ifndef SYS_RING_H
#define SYS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	int fd; /* the map's, the caller's; poll(2) it for reading */
	uint64_t mask;
	size_t page;
	bool wide; /* positions have 64 bits, as the kernel's long; else 32, and they go round */
	void *consumer;
	const void *producer;
	const uint8_t *data; /* mapped twice in a row, so that no record is split */
};

/* size: the map's max_entries, a power of two of whole pages. To be called before anything is
 * attached that writes into the ring. */
int ring_open(struct ring *r, int map_fd, uint32_t size);
void ring_close(struct ring *r);

/* Called with each record that the kernel has submitted; it is gone after the call. A value other
 * than 0 ends the reading behind that record. */
typedef int ring_each(const void *rec, size_t len, void *arg);
/* Read what is there by now, without waiting, and no more. Returns the last answer of each. */
int ring_read(struct ring *r, ring_each *each, void *arg);

#endif
