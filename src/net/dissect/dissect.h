/* SPDX-License-Identifier: MIT */
/* A packet as one line of text, in tcpdump's habit (differences: tests/lines/README.md). */
#ifndef NET_DISSECT_DISSECT_H
#define NET_DISSECT_DISSECT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "net/frame.h"

enum {
	DISSECT_LINE_MAX = 4096, /* of a line, with its newline; what is longer ends with "..." */
	DISSECT_TUNNELS_MAX = 4, /* packets in packets that are looked into */
	DISSECT_CONN_SETS = 1024,
	DISSECT_CONN_WAYS = 4,
};

enum dissect_time {
	DISSECT_CLOCK, /* HH:MM:SS.ffffff */
	DISSECT_NONE,  /* -t */
	DISSECT_EPOCH, /* -tt */
	DISSECT_DELTA, /* -ttt: since the line before */
	DISSECT_DATE,  /* -tttt: YYYY-MM-DD HH:MM:SS.ffffff */
	DISSECT_FIRST, /* -ttttt: since the first line */
};

enum dissect_dump {
	DISSECT_NO_DUMP,
	DISSECT_HEX,       /* -x */
	DISSECT_HEX_ASCII, /* -X */
	DISSECT_ASCII,     /* -A */
};

/* { 0 } is tcpdump's default, but for names of hosts: those are never looked up. */
struct dissect_opts {
	uint8_t time;              /* enum dissect_time */
	uint8_t dump;              /* enum dissect_dump */
	uint8_t verbose;           /* -v: 1, -vv: 2 */
	bool numeric;              /* -n: ports as numbers */
	bool link;                 /* -e */
	bool quiet;                /* -q */
	bool nanos;                /* nanoseconds in place of microseconds */
	bool dump_link;            /* -xx, -XX, -AA: the link-layer header is dumped, too */
	bool absolute;             /* -S: TCP sequence numbers as they are */
	int32_t utc_offset;        /* seconds that local time is ahead of UTC */
	const char *const *ifaces; /* names by frame.iface; NULL: no interface, no direction */
	uint32_t ifaces_n;
};

/* A TCP connection, by its lower end first: what its numbers are counted from. */
struct dissect_conn {
	uint8_t addr[2][16];
	uint16_t port[2];
	uint32_t base[2]; /* subtracted from what the end sends, and from acks to it */
	uint32_t used;    /* when: the least of a set makes room; 0: free */
};

/* What lines know of the lines before. Zeroed: nothing. Of fixed size, to be allocated once. */
struct dissect_state {
	uint64_t first_ns, last_ns;
	uint64_t shown_s; /* the second whose clock is in shown */
	char shown[20];   /* "YYYY-MM-DD HH:MM:SS" */
	bool started;
	uint32_t uses;
	struct dissect_conn conn[DISSECT_CONN_SETS][DISSECT_CONN_WAYS];
};

/* Append one line, and below it the dump if one is asked for. Of what is in the packet only
 * printable ASCII gets there as it is; no line is longer than DISSECT_LINE_MAX. Memory that runs
 * out is out's matter. Reentrant: two states may be used at once. */
void dissect_line(struct buf *out, const struct frame *f, const struct dissect_opts *o,
		  struct dissect_state *s);

/* Parts of such lines by themselves: an address of 4 or 16 bytes; "HH:MM:SS.ffffff ". */
void dissect_put_address(struct buf *out, const uint8_t *bytes, uint8_t len);
void dissect_put_clock(struct buf *out, uint64_t time_ns, int32_t utc_offset);

#endif
