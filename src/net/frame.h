/* SPDX-License-Identifier: MIT */
/* A captured frame and what is known of it: what capture files hold, filters judge, text shows. */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include <stdint.h>

enum frame_dir { FRAME_DIR_UNKNOWN, FRAME_IN, FRAME_OUT };

/* As the XDP and tc programs of a gate decide; FRAME_VERDICT_UNKNOWN: nobody said. */
enum frame_verdict { FRAME_VERDICT_UNKNOWN, FRAME_PASS, FRAME_DROP };

/* LINKTYPE_* of the capture file formats (https://www.tcpdump.org/linktypes.html). */
enum frame_link {
	FRAME_ETHERNET = 1,
	FRAME_RAW_IP = 101, /* IPv4 or IPv6, told by the first four bits */
	FRAME_LINUX_SLL = 113,
	FRAME_LINUX_SLL2 = 276,
	FRAME_IPV4 = 228,
	FRAME_IPV6 = 229,
	FRAME_NULL = 0,   /* BSD loopback: 4 bytes of address family in the writer's byte order */
	FRAME_LOOP = 108, /* the same in network byte order */
};

struct frame {
	const uint8_t *data; /* caplen bytes, from the link-layer header on; not owned */
	uint32_t caplen;     /* bytes that are here */
	uint32_t len;        /* bytes that there were */
	uint64_t time_ns;    /* since 1970-01-01 UTC */
	uint32_t iface;      /* which of the source's interfaces, from 0 */
	uint16_t link;       /* enum frame_link, or another LINKTYPE_* */
	uint8_t dir;         /* enum frame_dir */
	uint8_t verdict;     /* enum frame_verdict */
	uint32_t pid;        /* of the process that owns the socket; 0: unknown */
	char comm[16];       /* its name, ended with a NUL; "": unknown */
};

#endif
