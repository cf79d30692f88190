/* SPDX-License-Identifier: MIT */
/* Packets from the kernel to where captured packets go. */
#ifndef CMD_CAPTURE_LIVE_H
#define CMD_CAPTURE_LIVE_H

#include "cmd/capture_out.h"
#include "tap/tap.h"

struct capture_live_wish {
	struct tap_wish tap;     /* its on_port and arg are set by capture_live() */
	const char *filter_text; /* for the file */
	uint64_t count;          /* end after so many packets; 0: never */
};

/* Attach, capture until the end that was wished for, a signal or an error, and say on stderr how
 * many packets were captured and how many lost. Closes out. 0 or -errno, said. */
int capture_live(const struct capture_live_wish *wish, struct capture_out *out);

#endif
