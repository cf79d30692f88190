/* SPDX-License-Identifier: MIT */
/* Moves packets from the kernel to a capture_out. */
#ifndef CAPTURE_PUMP_H
#define CAPTURE_PUMP_H

#include "capture/output.h"
#include "capture/session.h"

struct capture_pump_opts {
	struct capture_session_opts session; /* on_iface and arg are set by capture_pump() */
	const char *filter_text;             /* noted in the file */
	uint64_t duration;                   /* end after this time, ns; 0: no limit */
	uint64_t count;                      /* end after this many packets; 0: no limit */
};

/* Attaches, captures until the count, a signal or an error, and prints to stderr how many packets
 * were captured and lost. Closes out. Returns 0 or -errno. Reports errors. */
int capture_pump(const struct capture_pump_opts *opts, struct capture_out *out);

#endif
