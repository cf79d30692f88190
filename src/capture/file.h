/* SPDX-License-Identifier: MIT */
/* The file, or row of files, that packets go to: whole blocks or records in, rotation, full disks.
 */
#ifndef CAPTURE_FILE_H
#define CAPTURE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

struct capture_file_opts {
	const char *name; /* "-": standard output; with every: as strftime(3) makes it */
	uint64_t bytes;   /* another file once one has so many; 0: no limit */
	uint64_t every;   /* ns of wall clock to a file; 0: no limit */
	uint32_t count; /* with bytes: so many files in turn; with every: end after them; 0: any */
	bool ng;        /* pcapng's blocks, else pcap's records */
	/* Append what stands at the end of each file. */
	void (*tail)(struct buf *b, void *arg);
	void *arg;
};

/* Zeroed: closed. */
struct capture_file {
	struct capture_file_opts opts;
	char path[PATH_MAX];
	int fd;
	bool standard, regular;
	bool patient;      /* nobody reads it while it is written: no pipe */
	bool direct;       /* O_DIRECT is on */
	bool never_direct; /* this file system cannot */
	bool broken;       /* a write failed: nothing more is written */
	struct buf heads;  /* what each file begins with */
	uint64_t written;  /* bytes of this file */
	uint64_t next;     /* ns since the epoch: the time of the next file */
	uint32_t files;    /* so far */
};

/* Nothing is made or changed yet. 0, or -errno or -E_USAGE, said. */
int capture_file_open(struct capture_file *f, const struct capture_file_opts *opts);
/* The first file, empty but for the heads that there are. 0 or -errno, said. */
int capture_file_begin(struct capture_file *f);
/* What each file is to have at its begin, from now on and in this one. */
int capture_file_head(struct capture_file *f, const void *bytes, size_t len);
/* len bytes of whole blocks or records. 0; 1: the last file is full; -errno, said: of a regular
 * file the blocks that found room are in it, whole. *kept: bytes of those. */
int capture_file_write(struct capture_file *f, const void *bytes, size_t len, size_t *kept);
/* The same for a large page-aligned row of blocks, behind which PACKET_BUF_ROOM bytes may be
 * written: around the page cache if that can be. */
int capture_file_whole(struct capture_file *f, uint8_t *bytes, size_t len, size_t *kept);
/* Packets in a row of whole units. */
uint64_t capture_file_packets(const struct capture_file *f, const void *bytes, size_t len);
/* Another file if it is time for it, though no packet asks for one. As capture_file_write(). */
int capture_file_turn(struct capture_file *f);
/* When that is, ns since the epoch; UINT64_MAX: never. */
uint64_t capture_file_due(const struct capture_file *f);
/* Write the tail and close. 0 or -errno, said. */
int capture_file_close(struct capture_file *f);

#endif
