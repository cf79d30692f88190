/* SPDX-License-Identifier: MIT */
/* The memory that kernel programs write packets to, as finished pcapng blocks, in sequence for each
 * CPU (bpf/capture.h). */
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
	int cpus_fd, blocks_fd, ring_fd; /* maps for the kernel programs */
	bool mapped;                     /* else blocks come through the ring */
	uint32_t cpus, chunks;           /* chunks: of each CPU */
	uint32_t chunk_len;              /* bytes of a chunk; blocks start below fill */
	uint32_t fill;
	struct capture_cpu *cpu;
	uint8_t *bytes;
	struct ring ring;
	struct buf held;    /* taken out of the ring, not yet released */
	uint32_t *released; /* of each CPU: bytes released of the chunk at its tail */
	/* A CPU was still writing during the last packet_buf_take(): its block is in no batch, but
	 * may be older than some that are. */
	bool is_writing;
};

/* A sequence of whole blocks of one CPU. The caller sets `consumed` to the bytes it is done
 * with. */
struct block_batch {
	uint8_t *at;
	size_t len, consumed;
	bool has_next; /* more follows in the next chunk: available after this one is released */
	bool full;     /* a whole chunk: PACKET_BUF_ROOM bytes after it may be overwritten */
	uint32_t cpu;
};

enum { PACKET_BUF_ROOM = 8192 };

struct packet_buf_opts {
	uint32_t snaplen;
	uint64_t bytes; /* in total; 0: choose by the host's memory */
	bool ring;      /* use the ring buffer even where mapped chunks work */
};

/* Creates the maps and maps the memory. Returns 0 or -errno. Reports errors. */
int packet_buf_open(struct packet_buf *pb, const struct packet_buf_opts *opts);
void packet_buf_close(struct packet_buf *pb);

/* Returns a descriptor that is readable once packets arrive after packet_buf_arm(). */
int packet_buf_poll_fd(const struct packet_buf *pb);
void packet_buf_arm(struct packet_buf *pb);

/* Sets the offset from CLOCK_MONOTONIC to CLOCK_REALTIME that packets are stamped with: call it
 * again after each step of the clock. */
void packet_buf_set_clock(struct packet_buf *pb);

/* Collects what each CPU has written, at most one batch for each CPU: batches has room for .cpus.
 * Returns the number of batches. */
uint32_t packet_buf_take(struct packet_buf *pb, struct block_batch *batches);
/* Gives the consumed part of each batch back to the kernel. */
void packet_buf_release(struct packet_buf *pb, const struct block_batch *batches, uint32_t n);

#endif
