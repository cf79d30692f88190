/* SPDX-License-Identifier: MIT */
/* Where captured packets come from the kernel: finished pcapng blocks, a CPU's in a row
 * (bpf/capture.h). */
#ifndef CAPTURE_PACKET_BUF_H
#define CAPTURE_PACKET_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "bpf/capture.h"
#include "sys/ring.h"

/* Zeroed: closed. */
struct packet_buf {
	int cpus_fd, packet_buf_fd, ring_fd; /* maps, for the programs that write */
	bool mapped;                         /* else blocks come through the ring */
	uint32_t cpus, chunks;               /* chunks: of a CPU */
	uint32_t chunk_len;                  /* bytes, of which a block may begin below fill */
	uint32_t fill;
	struct capture_cpu *cpu;
	uint8_t *bytes;
	struct ring ring;
	struct buf held; /* what was taken out of the ring, and not yet released */
	uint32_t *read;  /* of each CPU's chunk at its tail: bytes that were released */
	/* When packet_buf_take() looked last, a CPU was still writing: its block is not among the
	 * runs, though it may be older than some that are. */
	bool busy;
};

/* A row of whole blocks. The caller says in used how many bytes it has done with. */
struct block_batch {
	uint8_t *at;
	size_t len, consumed;
	bool has_next; /* it goes on elsewhere: to be had when this one was released */
	bool full;     /* a chunk from its begin to its end: PACKET_BUF_ROOM bytes behind it may be
			* written
			*/
	uint32_t cpu;
};

enum { PACKET_BUF_ROOM = 8192 };

struct packet_buf_opts {
	uint32_t snaplen;
	uint64_t bytes; /* in all; 0: as is useful */
	bool ring;      /* though the kernel could do better */
};

/* Maps and memory. Said on failure. */
int packet_buf_open(struct packet_buf *a, const struct packet_buf_opts *opts);
void packet_buf_close(struct packet_buf *a);

/* A descriptor to poll for reading, once packet_buf_arm() was called: packets are there. */
int packet_buf_fd(const struct packet_buf *a);
void packet_buf_arm(struct packet_buf *a);

/* Packets are stamped with CLOCK_REALTIME as it stands to CLOCK_MONOTONIC now: to be called again
 * after each step of it. */
void packet_buf_set_clock(struct packet_buf *a);

/* What each CPU has ready, at most one run a CPU: runs has room for area.cpus. Their number. */
uint32_t packet_buf_take(struct packet_buf *a, struct block_batch *batches);
/* Give the used part of each back to the kernel. */
void packet_buf_release(struct packet_buf *a, const struct block_batch *batches, uint32_t n);

#endif
