/* SPDX-License-Identifier: MIT */
/* Reads a BPF ring buffer map. */
#ifndef SYS_RING_H
#define SYS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

struct ring {
	int fd; /* of the map, owned by the caller; poll(2) it for reading */
	uint64_t mask;
	size_t page;
	bool wide; /* 64-bit positions, like the kernel's long; else 32-bit ones, which wrap */
	void *consumer;
	const void *producer;
	/* The data is mapped once. The kernel allows to map it twice in a row so that no record is
	 * split, but both mappings would count as this process's memory. Split records are
	 * copied. */
	const uint8_t *data;
	struct buf joined; /* the copy of a split record */
};

/* size: max_entries of the map, a power of two and a multiple of the page size. Call it before
 * attaching any program that writes to the ring. */
int ring_open(struct ring *r, int map_fd, uint32_t size);
void ring_close(struct ring *r);

/* Called with each submitted record, which is valid only during the call. A value other than 0 ends
 * the reading after that record. */
typedef int ring_each(const void *rec, size_t len, void *arg);
/* Reads the records that are complete, without waiting. Returns the last result of each(), or
 * -ENOMEM: the next record is split and could not be copied; it stays in the ring. */
int ring_read(struct ring *r, ring_each *each, void *arg);

#endif
