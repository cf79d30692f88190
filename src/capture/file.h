/* SPDX-License-Identifier: MIT */
/* Writes packets to one file or a sequence of files: whole blocks in, rotation by size and time,
 * full disks. */
#ifndef CAPTURE_FILE_H
#define CAPTURE_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

struct capture_file_opts {
	const char *name;     /* "-": standard output; with interval_ns a format of strftime(3) */
	uint64_t max_bytes;   /* start another file at this size; 0: no limit */
	uint64_t interval_ns; /* wall clock time a file covers; 0: no limit */
	uint32_t max_files;   /* with max_bytes: keep this many, overwriting the oldest; with
				 interval_ns: end after them; 0: no limit */
	bool pcapng;          /* blocks of pcapng, else records of pcap */
	/* Appends what each file ends with. */
	void (*append_trailer)(struct buf *b, void *arg);
	void *arg;
};

/* Zeroed: closed. */
struct capture_file {
	struct capture_file_opts opts;
	char path[PATH_MAX];
	int fd;
	bool is_stdout, is_regular;
	bool never_blocks;  /* a file or device: writing never waits for a reader */
	bool direct;        /* O_DIRECT is set */
	bool never_direct;  /* O_DIRECT is impossible here */
	bool broken;        /* a write failed: write no more */
	struct buf headers; /* what each file starts with */
	uint64_t written;   /* bytes in this file */
	uint64_t next_ns;   /* when to start the next file, ns since the epoch */
	uint32_t nfiles;    /* opened so far */
};

/* Checks the options; opens no file yet. Returns 0, -errno or -E_USAGE. Reports errors. */
int capture_file_open(struct capture_file *f, const struct capture_file_opts *opts);
/* Opens the first file and writes the headers added so far. Returns 0 or -errno. Reports errors. */
int capture_file_begin(struct capture_file *f);
/* Adds to what each file starts with, in the current file and in all later ones. Returns 0 or
 * -errno. Reports errors. */
int capture_file_add_header(struct capture_file *f, const void *bytes, size_t len);
/* Writes len bytes of whole blocks or records. Returns 0, 1 if the last file is full, or -errno.
 * Reports errors. Adds to *kept the bytes that are in a file; after an error a regular file still
 * ends with a complete block. */
int capture_file_write(struct capture_file *f, const void *bytes, size_t len, size_t *kept);
/* Like capture_file_write(), for a full chunk: page-aligned, and PACKET_BUF_ROOM bytes after it may
 * be overwritten. Bypasses the page cache where possible. */
int capture_file_write_chunk(struct capture_file *f, uint8_t *bytes, size_t len, size_t *kept);
/* Counts the packets in a sequence of whole blocks or records. */
uint64_t capture_file_count_packets(const struct capture_file *f, const void *bytes, size_t len);
/* Starts another file if its time has come, even without a packet. Returns as
 * capture_file_write(). */
int capture_file_rotate(struct capture_file *f);
/* When that is, in ns since the epoch; UINT64_MAX: never. */
uint64_t capture_file_next_rotation(const struct capture_file *f);
/* Writes the trailer and closes. Returns 0 or -errno. Reports errors. */
int capture_file_close(struct capture_file *f);

#endif
