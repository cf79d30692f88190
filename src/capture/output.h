/* SPDX-License-Identifier: MIT */
/* Where captured packets go: text lines, JSON, or a capture file. */
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
	struct capture_file_opts file; /* name NULL: print to standard output */
	bool pcap;                     /* write pcap, whatever the file's name */
	struct dissect_opts lines;
};

/* Zeroed: closed. */
struct capture_out {
	struct capture_out_opts opts;
	struct capture_file file;
	struct buf buf;    /* not yet written */
	bool never_blocks; /* writing to standard output never waits for a reader */
	uint32_t ifaces;   /* interface blocks in the file so far */
	uint16_t link;     /* of a pcap file */
	bool has_header;
	bool failed;       /* a write failed: further packets are only counted */
	uint64_t unsaved;  /* packets passed in that are in no file */
	struct sink *sink; /* for JSON */
	struct dissect_state lines;
};

/* Checks the options; opens no file yet. Returns 0, -errno or -E_USAGE. Reports errors. */
int capture_out_open(struct capture_out *out, const struct capture_out_opts *opts);
/* Opens the file, overwriting its contents: call it once packets can arrive. Returns 0 or -errno.
 * Reports errors. */
int capture_out_begin(struct capture_out *out);
/* Writes a packet. iface: its interface, NULL if unknown. Returns 0, 1 if the last file is full, or
 * -errno. Reports errors. */
int capture_out_write_frame(struct capture_out *out, const struct frame *frame,
			    const struct capfile_iface *iface);
/* Write whole blocks of a pcapng stream, packets only; _chunk: a full chunk, as for
 * capture_file_write_chunk(). Return 0, 1 if the last file is full, or -errno. Report errors. */
int capture_out_write_blocks(struct capture_out *out, const uint8_t *blocks, size_t len);
int capture_out_write_chunk(struct capture_out *out, uint8_t *blocks, size_t len);
/* Writes the header of a pcap file for packets of this link type, once. -EINVAL: the file has
 * another link type. Reports errors. */
int capture_out_add_pcap_header(struct capture_out *out, uint16_t link);
/* Makes a file without packets valid: writes its header if no packet did. iface: the source's first
 * interface, NULL if none. */
int capture_out_ensure_header(struct capture_out *out, const struct capfile_iface *iface);
/* Adds to what each pcapng file starts with. Returns 0 or -errno. Reports errors. */
int capture_out_add_header(struct capture_out *out, const struct buf *head);
static inline bool capture_out_is_ng(const struct capture_out *out)
{
	return out->opts.file.name && out->opts.file.pcapng;
}
/* Writes the buffered output. Returns 0, 1 if the last file is full, or -errno. Reports errors. */
int capture_out_flush(struct capture_out *out);
/* Starts another file if its time has come. Returns 0, 1 if the last file is full, or -errno.
 * Reports errors. */
int capture_out_rotate(struct capture_out *out);
/* Flushes, closes and frees. Returns rc if it is an error, else 0 or the first error of closing.
 * Reports errors. */
int capture_out_close(struct capture_out *out, int rc);

#endif
