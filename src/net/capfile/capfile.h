/* SPDX-License-Identifier: MIT */
/* Capture files, pcap and pcapng: read in whatever pieces they come, written into a buffer. */
#ifndef NET_CAPFILE_CAPFILE_H
#define NET_CAPFILE_CAPFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/diag.h"
#include "net/frame.h"

enum {
	CAPFILE_BLOCK_MAX = 16 << 20,                  /* a longer one is taken for damage */
	CAPFILE_CAPLEN_MAX = CAPFILE_BLOCK_MAX - 1024, /* of a packet that is written */
	CAPFILE_IFACES_MAX = 1 << 16,
	CAPFILE_NAME_MAX = 64,   /* of an interface, with its NUL; Windows has names of 50 bytes */
	CAPFILE_TEXT_MAX = 4096, /* of other texts when written; longer ones are cut */
	/* A block that readers pass over: types with the top bit are for local use. */
	CAPFILE_BLOCK_PAD = (int)0x80736f6e,
};

/* An interface's counters since its capture began. */
struct capfile_stats {
	uint64_t start_ns, end_ns; /* 0: unknown */
	uint64_t received;
	uint64_t dropped_if, dropped_os;
};

struct capfile_iface {
	char name[CAPFILE_NAME_MAX]; /* as it is in the file, any bytes; "": unknown */
	uint16_t link;               /* enum frame_link, or another LINKTYPE_* */
	uint32_t snaplen;            /* 0: no limit; a packet may be longer all the same */
	/* When reading: */
	bool counted;     /* stats are in the file; the last ones are here */
	uint8_t tsresol;  /* its unit of time (capfile_time_ns) */
	int64_t tsoffset; /* seconds */
	uint64_t lost;    /* the sum of what its packets say was lost before them */
	struct capfile_stats stats;
};

/* Reading. What comes is given to capfile_feed() in pieces of any length, so a pipe is read like a
 * file; only a packet or block that stands across two pieces is copied, never more than that one
 * is held.
 *
 * Damage ends the reading: every packet before it has been delivered, and diag says in words for
 * the user what is wrong at which byte. */

enum capfile_format { CAPFILE_UNKNOWN, CAPFILE_PCAP, CAPFILE_PCAPNG };

/* Called for each packet; a value other than 0 ends the reading and is returned. frame->iface is
 * an index for capfile_iface(). */
typedef int capfile_each(const struct frame *frame, void *arg);

/* Zeroed: nothing was read yet. */
struct capfile {
	/* For the caller: */
	enum capfile_format format; /* known from the file header on */
	uint32_t nifaces;           /* so far; those of a pcapng's later sections go on counting */
	const char *comment; /* while in each(): the packet's first comment that is not one of
			      * ours (below), comment_len bytes; NULL: none */
	size_t comment_len;
	struct diag diag;
	/* Its own: */
	int rc;            /* what ended the reading: stays */
	bool big, nano;    /* of the file, of pcapng the section */
	uint32_t first;    /* of the section's interfaces */
	uint32_t link_len; /* the longest packet that pcap is believed to hold */
	uint64_t pos;      /* of the next unit (file header, record, block) in the input */
	struct buf held;   /* a unit's bytes until it is whole */
	struct capfile_iface *ifaces;
	size_t room;
	capfile_each *each;
	void *arg;
};

/* 0; -EBADMSG and diag; -ENOMEM and diag; or what each() returned. Once not 0 it stays so. */
int capfile_feed(struct capfile *c, const void *bytes, size_t len, capfile_each *each, void *arg);
/* The input has ended: -EBADMSG and diag if that is in the middle of something. */
int capfile_end(struct capfile *c);
void capfile_close(struct capfile *c);

/* NULL if there is none of that index; valid until the next capfile_feed(). */
const struct capfile_iface *capfile_iface(const struct capfile *c, uint32_t i);

/* A pcapng timestamp in ns since the epoch, rounded down. tsresol: units of 10^-n s, or with the
 * top bit set 2^-n s; tsoffset: s to add. What is beyond the range is 0 or UINT64_MAX. */
uint64_t capfile_time_ns(uint8_t tsresol, int64_t tsoffset, uint64_t ticks);

/* Writing, in the host's byte order with times in ns, appended to a buffer: exactly as many bytes
 * as the function ending in _len says.
 *
 * pcapng has no field for a process's name, and its verdict option wants to know the hook, so they
 * are comments, for people in any program and for the reader above:
 *	process: COMM[PID]      bytes of COMM that are not plain UTF-8, and \, as \xNN
 *	verdict: drop           or pass
 * The PID is in the standard's option for it (epb_processid_threadid), too. Read are also verdicts
 * of XDP and tc programs as xdpdump writes them. */

/* app: who writes, such as "sonde 1.0"; may be NULL. */
size_t capfile_section_len(const char *app);
void capfile_put_section(struct buf *b, const char *app);
/* i's name, link and snaplen; filter: the expression that chose the packets, NULL or "": none.
 * Interfaces are numbered from 0 in the order they are put, each before its packets. libpcap, and
 * so tcpdump -r, reads a file only if all of them have the same link type and snaplen. */
size_t capfile_iface_len(const struct capfile_iface *i, const char *filter);
void capfile_put_iface(struct buf *b, const struct capfile_iface *i, const char *filter);
/* All that the frame knows but its link type, which is its interface's. */
size_t capfile_packet_len(const struct frame *f);
void capfile_put_packet(struct buf *b, const struct frame *f);
/* The options of a frame's block that tell its process, and nothing else of the block. */
void capfile_put_owner(struct buf *b, const struct frame *f);
size_t capfile_stats_len(const struct capfile_stats *s);
void capfile_put_stats(struct buf *b, uint32_t iface, const struct capfile_stats *s);

/* Classic pcap, for programs that read nothing else: one link type, no interface, no direction.
 * nano: in ns, else in us. */
size_t capfile_pcap_len(void);
void capfile_put_pcap(struct buf *b, uint16_t link, uint32_t snaplen, bool nano);
size_t capfile_record_len(const struct frame *f);
void capfile_put_record(struct buf *b, const struct frame *f, bool nano);

#endif
