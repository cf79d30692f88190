/* SPDX-License-Identifier: MIT */
/* Where captured packets go: lines, JSON, or a capture file. */
#ifndef CAPTURE_OUTPUT_H
#define CAPTURE_OUTPUT_H

#include <stdbool.h>
#include "base/buf.h"
#include "capture/file.h"
#include "net/capfile/capfile.h"
#include "net/dissect/dissect.h"
#include "out/sink.h"

enum capture_format { CAPTURE_TEXT, CAPTURE_JSON };
/* What a packet is as JSON. */
extern const struct schema capture_packet_schema;

struct capture_out_opts {
	enum capture_format format;
	struct capture_file_opts file; /* name NULL: print */
	bool pcap;                     /* classic, whatever the file's name */
	struct dissect_opts lines;
};

/* Zeroed: closed. */
struct capture_out {
	struct capture_out_opts opts;
	struct capture_file file;
	struct buf buf;  /* of what is not yet written */
	bool patient;    /* printing never waits for a reader */
	uint32_t ifaces; /* of the file that have been written */
	uint16_t link;   /* of a classic file */
	bool begun;
	bool failed;       /* a file could not be written: what comes is only counted */
	uint64_t unsaved;  /* packets that were handed over and are in no file */
	struct sink *sink; /* of JSON */
	struct dissect_state lines;
};

/* No file is touched yet. 0, or -errno or -E_USAGE, said. */
int capture_out_open(struct capture_out *out, const struct capture_out_opts *opts);
/* To be called when packets can come: the file that there was is overwritten now. */
int capture_out_begin(struct capture_out *out);
/* iface: the frame's, with its name. 0 or -errno, said. */
int capture_out_frame(struct capture_out *out, const struct frame *frame,
		      const struct capfile_iface *iface);
/* Whole blocks of a pcapng stream, packets only, for a file; whole: as for capture_file_whole().
 * 0, 1 if the last file is full, -errno, said. */
int capture_out_blocks(struct capture_out *out, const uint8_t *blocks, size_t len);
int capture_out_whole(struct capture_out *out, uint8_t *blocks, size_t len);
/* What a classic file begins with, for packets of this kind. */
int capture_out_pcap(struct capture_out *out, uint16_t link);
/* A file that no packet came to is one all the same. iface: the source's first, NULL if none. */
int capture_out_empty(struct capture_out *out, const struct capfile_iface *iface);
/* What pcapng's files begin with, of their own. */
int capture_out_head(struct capture_out *out, const struct buf *head);
static inline bool capture_out_is_ng(const struct capture_out *out)
{
	return out->opts.file.name && out->opts.file.ng;
}
/* What is buffered goes out now. */
int capture_out_flush(struct capture_out *out);
/* Another file if it is time for it. 0; 1: that was the last; -errno, said. */
int capture_out_turn(struct capture_out *out);
/* Flush, close, free. rc, or if that is 0 what went wrong. */
int capture_out_close(struct capture_out *out, int rc);

#endif
