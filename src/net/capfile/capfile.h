/* SPDX-License-Identifier: MIT */
/* Capture files, pcap and pcapng: read in pieces of any size, written to a buffer. */
#ifndef NET_CAPFILE_CAPFILE_H
#define NET_CAPFILE_CAPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/diag.h"
#include "net/frame.h"

enum {
	CAPFILE_BLOCK_MAX = 16 << 20,                  /* longer blocks are damage */
	CAPFILE_CAPLEN_MAX = CAPFILE_BLOCK_MAX - 1024, /* of a written packet */
	CAPFILE_IFACES_MAX = 1 << 16,
	CAPFILE_NAME_MAX = 64,   /* of an interface, with its NUL; Windows has names of 50 bytes */
	CAPFILE_TEXT_MAX = 4096, /* of other texts when written; longer ones are truncated */
	/* The type of padding blocks: types with the top bit set are for local use, readers skip
	 * them. */
	CAPFILE_BLOCK_PAD = (int)0x80736f6e,
};

/* Counters of an interface since its capture started. */
struct capfile_stats {
	uint64_t start_ns, end_ns; /* 0: unknown */
	uint64_t received;
	uint64_t dropped_if, dropped_os;
};

struct capfile_iface {
	char name[CAPFILE_NAME_MAX]; /* as in the file, any bytes; "": unknown */
	uint16_t link;               /* enum frame_link, or another LINKTYPE_* */
	uint32_t snaplen;            /* 0: no limit; packets may be longer nevertheless */
	/* Only when reading: */
	bool counted;     /* stats are known: those of the last statistics block */
	uint8_t tsresol;  /* unit of time stamps, see capfile_time_ns() */
	int64_t tsoffset; /* seconds */
	uint64_t lost;    /* sum of the drop counts in its packets */
	struct capfile_stats stats;
};

/* Reading: pass the input to capfile_feed() in pieces of any length, so a pipe is read like a file.
 * Only a packet or block that spans pieces is copied; at most one is kept.
 *
 * Reading ends at damaged data: all packets before it have been delivered, and diag has the error
 * message and the byte offset. */

enum capfile_format { CAPFILE_UNKNOWN, CAPFILE_PCAP, CAPFILE_PCAPNG };

/* Called for each packet; a value other than 0 ends the reading and is returned. frame->iface is an
 * index for capfile_iface(). */
typedef int capfile_each(const struct frame *frame, void *arg);

/* A file being read. Zeroed: nothing was read yet. */
struct capfile {
	/* Readable by the caller: */
	enum capfile_format format; /* known after the file header */
	uint32_t nifaces; /* so far; indexes continue across the sections of a pcapng file */
	/* During each(): the packet's first comment other than those described below, comment_len
	 * bytes; NULL: none. */
	const char *comment;
	size_t comment_len;
	struct diag diag;
	/* Private: */
	int rc;               /* the error that ended reading; never reset */
	bool big, nano;       /* of the file; of the current section in pcapng */
	uint32_t first_iface; /* index of the section's first interface */
	uint32_t record_max;  /* the longest packet accepted in a pcap file */
	uint64_t pos;         /* offset of the next unit (file header, record or block) */
	struct buf partial;   /* the start of an incomplete unit */
	struct capfile_iface *ifaces;
	size_t ifaces_cap;
	capfile_each *each;
	void *arg;
};

/* Returns 0; -EBADMSG or -ENOMEM with diag set; or what each() returned. An error is permanent. */
int capfile_feed(struct capfile *c, const void *bytes, size_t len, capfile_each *each, void *arg);
/* Call it at the end of the input. -EBADMSG with diag set: the file ends within a unit or is
 * empty. */
int capfile_end(struct capfile *c);
void capfile_close(struct capfile *c);

/* Returns an interface by index, valid until the next capfile_feed(); NULL: no such index. */
const struct capfile_iface *capfile_iface(const struct capfile *c, uint32_t i);

/* Converts a pcapng time stamp to ns since 1970-01-01, rounded down. tsresol: units of 10^-n s, or
 * 2^-n s if the top bit is set; tsoffset: seconds to add. Out of range: 0 or UINT64_MAX. */
uint64_t capfile_time_ns(uint8_t tsresol, int64_t tsoffset, uint64_t ticks);

/* Writing: in the host's byte order with times in ns, appended to a buffer. Each capfile_put_X()
 * appends exactly capfile_X_len() bytes.
 *
 * pcapng has no option for a process's name, and its verdict option requires the kind of hook. So
 * both are written as comments, which every program shows and the reader above understands:
 *	process: COMM[PID]      backslashes and bytes that are not UTF-8 as \xNN
 *	verdict: drop           or pass
 * The PID is also in the standard option for it (epb_processid_threadid). The reader also accepts
 * verdict options of XDP and tc programs, as xdpdump writes them. */

/* app: the writing program, such as "sonde 1.0"; may be NULL. */
size_t capfile_section_len(const char *app);
void capfile_put_section(struct buf *b, const char *app);
/* Uses i's name, link and snaplen. filter: the filter expression, NULL or "": none. Interfaces are
 * numbered from 0 in the order they are written, each before its packets. libpcap (tcpdump -r) only
 * reads files whose interfaces have the same link type and snaplen. */
size_t capfile_iface_len(const struct capfile_iface *i, const char *filter);
void capfile_put_iface(struct buf *b, const struct capfile_iface *i, const char *filter);
/* Everything in the frame except its link type, which belongs to the interface. */
size_t capfile_packet_len(const struct frame *f);
void capfile_put_packet(struct buf *b, const struct frame *f);
/* Only the options of a packet block that describe the process. */
void capfile_put_owner(struct buf *b, const struct frame *f);
size_t capfile_stats_len(const struct capfile_stats *s);
void capfile_put_stats(struct buf *b, uint32_t iface, const struct capfile_stats *s);

/* Classic pcap: one link type, no interfaces, no directions. nano: time stamps in ns instead of
 * us. */
size_t capfile_pcap_len(void);
void capfile_put_pcap(struct buf *b, uint16_t link, uint32_t snaplen, bool nano);
size_t capfile_record_len(const struct frame *f);
void capfile_put_record(struct buf *b, const struct frame *f, bool nano);

#endif
