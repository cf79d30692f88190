/* SPDX-License-Identifier: MIT */
/* Where captured packets go: lines, JSON, or a capture file. */
#ifndef CMD_CAPTURE_OUT_H
#define CMD_CAPTURE_OUT_H

#include <stdbool.h>
#include "base/buf.h"
#include "net/capfile.h"
#include "net/dissect.h"
#include "out/sink.h"

enum capture_format { CAPTURE_TEXT, CAPTURE_JSON };
extern const char *const capture_formats[];

struct capture_out_wish {
	enum capture_format format;
	const char *file; /* NULL: print; "-": packets to standard output */
	bool pcap;        /* classic, whatever the file's name */
	struct dissect_opts lines;
};

/* Zeroed: closed. */
struct capture_out {
	struct capture_out_wish wish;
	struct buf buf; /* of what is not yet written */
	const char *name;
	int fd;
	bool ng;
	uint32_t ifaces; /* of the file that have been written */
	uint16_t link;   /* of a classic file */
	bool begun;
	uint64_t written;  /* packets whose bytes have all been written or buffered */
	struct sink *sink; /* of JSON */
	struct dissect_state lines;
};

/* 0, or -errno or -E_USAGE, said. */
int capture_out_open(struct capture_out *out, const struct capture_out_wish *wish);
/* iface: the frame's, with its name. 0 or -errno, said. */
int capture_out_frame(struct capture_out *out, const struct frame *frame,
		      const struct capfile_iface *iface);
/* What is buffered goes out now. */
int capture_out_flush(struct capture_out *out);
/* Flush, close, free. rc, or if that is 0 what went wrong. */
int capture_out_close(struct capture_out *out, int rc);

#endif
