/* SPDX-License-Identifier: MIT */
/* Formats a packet as a line of text like tcpdump (differences: tests/lines/README.md). */
#ifndef NET_DISSECT_DISSECT_H
#define NET_DISSECT_DISSECT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "net/frame.h"

enum {
	DISSECT_LINE_MAX = 4096, /* with the newline; longer lines end with "..." */
	DISSECT_TUNNELS_MAX = 4, /* nested packets that are dissected */
	DISSECT_CONN_SETS = 1024,
	DISSECT_CONN_WAYS = 4,
};

enum dissect_time {
	DISSECT_CLOCK, /* HH:MM:SS.ffffff */
	DISSECT_NONE,  /* -t */
	DISSECT_EPOCH, /* -tt */
	DISSECT_DELTA, /* -ttt: since the previous line */
	DISSECT_DATE,  /* -tttt: YYYY-MM-DD HH:MM:SS.ffffff */
	DISSECT_FIRST, /* -ttttt: since the first line */
};

enum dissect_dump {
	DISSECT_NO_DUMP,
	DISSECT_HEX,       /* -x */
	DISSECT_HEX_ASCII, /* -X */
	DISSECT_ASCII,     /* -A */
};

/* Zeroed: tcpdump's defaults, except that host names are never looked up. */
struct dissect_opts {
	uint8_t time;              /* enum dissect_time */
	uint8_t dump;              /* enum dissect_dump */
	uint8_t verbose;           /* -v: 1, -vv: 2 */
	bool numeric;              /* -n: ports as numbers */
	bool link;                 /* -e */
	bool quiet;                /* -q */
	bool nanos;                /* nanoseconds instead of microseconds */
	bool dump_link;            /* -xx, -XX, -AA: dump the link-layer header, too */
	bool absolute;             /* -S: absolute TCP sequence numbers */
	int32_t utc_offset;        /* seconds to add to UTC for local time */
	const char *dropped;       /* marks packets that were dropped; NULL: "DROP " */
	const char *const *ifaces; /* names by frame.iface; NULL: shows no interface */
	uint32_t ifaces_n;
};

/* A TCP connection; its endpoints are in ascending order. */
struct dissect_conn {
	uint8_t addr[2][16];
	uint16_t port[2];
	uint32_t base[2]; /* subtracted from numbers of the endpoint, and acks to it */
	uint32_t used;    /* last use, for replacing the oldest in a set; 0: free */
};

/* State kept between lines, of fixed size: allocate it once. Zeroed: empty. */
struct dissect_state {
	uint64_t first_ns, last_ns;
	uint64_t clock_s;    /* the local second that clock_text shows */
	char clock_text[20]; /* "YYYY-MM-DD HH:MM:SS" */
	bool started;
	uint32_t uses;
	struct dissect_conn conn[DISSECT_CONN_SETS][DISSECT_CONN_WAYS];
};

/* Appends a line, and the dump below it if requested. Bytes of the packet appear as printable ASCII
 * only. Lines are at most DISSECT_LINE_MAX bytes. If memory runs out, out->nomem is set. Reentrant
 * with separate states. */
void dissect_line(struct buf *out, const struct frame *f, const struct dissect_opts *o,
		  struct dissect_state *s);

/* Parts of lines: an address of 4 or 16 bytes; a time as "HH:MM:SS.ffffff ". */
void dissect_put_address(struct buf *out, const uint8_t *bytes, uint8_t len);
void dissect_put_clock(struct buf *out, uint64_t time_ns, int32_t utc_offset);

#endif
