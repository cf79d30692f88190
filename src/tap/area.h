/* SPDX-License-Identifier: MIT */
/* Where captured packets come from the kernel: finished pcapng blocks, a CPU's in a row
 * (bpf/capture.h). */
#ifndef TAP_AREA_H
#define TAP_AREA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "bpf/capture.h"
#include "sys/ring.h"

/* Zeroed: closed. */
struct area {
	int cpus_fd, area_fd, ring_fd; /* maps, for the programs that write */
	bool mapped;                   /* else blocks come through the ring */
	uint32_t cpus, chunks;         /* chunks: of a CPU */
	uint32_t chunk_len;            /* bytes, of which a block may begin below fill */
	uint32_t fill;
	struct capture_cpu *cpu;
	uint8_t *bytes;
	struct ring ring;
	struct buf held; /* what was taken out of the ring, and not yet released */
	uint32_t *read;  /* of each CPU's chunk at its tail: bytes that were released */
	/* When area_take() looked last, a CPU was still writing: its block is not among the runs,
	 * though it may be older than some that are. */
	bool busy;
};

/* A row of whole blocks. The caller says in used how many bytes it has done with. */
struct area_run {
	uint8_t *at;
	size_t len, used;
	bool more;  /* it goes on elsewhere: to be had when this one was released */
	bool whole; /* a chunk from its begin to its end: AREA_ROOM bytes behind it may be written
		     */
	uint32_t cpu;
};

enum { AREA_ROOM = 8192 };

struct area_wish {
	uint32_t snaplen;
	uint64_t bytes; /* in all; 0: as is useful */
	bool ring;      /* though the kernel could do better */
};

/* Maps and memory. Said on failure. */
int area_open(struct area *a, const struct area_wish *wish);
void area_close(struct area *a);

/* A descriptor to poll for reading, once area_want() was called: packets are there. */
int area_fd(const struct area *a);
void area_want(struct area *a);

/* Packets are stamped with CLOCK_REALTIME as it stands to CLOCK_MONOTONIC now: to be called again
 * after each step of it. */
void area_set_clock(struct area *a);

/* What each CPU has ready, at most one run a CPU: runs has room for area.cpus. Their number. */
uint32_t area_take(struct area *a, struct area_run *runs);
/* Give the used part of each back to the kernel. */
void area_release(struct area *a, const struct area_run *runs, uint32_t n);

#endif
