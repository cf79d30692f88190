/* SPDX-License-Identifier: MIT */
/* A captured frame and its metadata: the type that capture files, filters and text output share. */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include <stdint.h>

enum frame_dir { FRAME_DIR_UNKNOWN, FRAME_IN, FRAME_OUT };

/* The verdict of a gate's XDP or tc program. */
enum frame_verdict { FRAME_VERDICT_UNKNOWN, FRAME_PASS, FRAME_DROP };

/* LINKTYPE_* of the capture file formats (https://www.tcpdump.org/linktypes.html). */
enum frame_link {
	FRAME_ETHERNET = 1,     /* LINKTYPE_ETHERNET */
	FRAME_RAW_IP = 101,     /* LINKTYPE_RAW: IPv4 or IPv6 by its version field */
	FRAME_LINUX_SLL = 113,  /* LINKTYPE_LINUX_SLL: "cooked", a header of 16 bytes */
	FRAME_LINUX_SLL2 = 276, /* LINKTYPE_LINUX_SLL2: with the interface, a header of 20 bytes */
	FRAME_IPV4 = 228,       /* LINKTYPE_IPV4 */
	FRAME_IPV6 = 229,       /* LINKTYPE_IPV6 */
	FRAME_NULL = 0,   /* LINKTYPE_NULL: 4 bytes of address family in the writer's byte order */
	FRAME_LOOP = 108, /* LINKTYPE_LOOP: the same in network byte order */
};

struct frame {
	const uint8_t *data; /* caplen bytes from the link-layer header on; not owned */
	uint32_t caplen;     /* captured bytes */
	uint32_t len;        /* bytes on the wire */
	uint64_t time_ns;    /* since 1970-01-01 UTC */
	uint32_t iface;      /* index of the source's interface, from 0 */
	uint16_t link;       /* enum frame_link, or another LINKTYPE_* */
	uint8_t dir;         /* enum frame_dir */
	uint8_t verdict;     /* enum frame_verdict */
	uint32_t pid;        /* process that owns the socket; 0: unknown */
	char comm[16];       /* its name, NUL-terminated; "": unknown */
};

#endif
