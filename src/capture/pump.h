/* SPDX-License-Identifier: MIT */
/* Packets from the kernel to where captured packets go. */
#ifndef CAPTURE_PUMP_H
#define CAPTURE_PUMP_H

#include "capture/output.h"
#include "capture/session.h"

struct capture_pump_opts {
	struct capture_session_opts session; /* its on_iface and arg are set by capture_pump() */
	const char *filter_text;             /* for the file */
	uint64_t duration;                   /* ns; 0: no end */
	uint64_t count;                      /* end after so many packets; 0: never */
};

/* Attach, capture until the end that was wished for, a signal or an error, and say on stderr how
 * many packets were captured and how many lost. Closes out. 0 or -errno, said. */
int capture_pump(const struct capture_pump_opts *opts, struct capture_out *out);

#endif
