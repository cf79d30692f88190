/* SPDX-License-Identifier: MIT */
/* A few of the packets that reach a guarded interface, as a capture file. */
#ifndef INCIDENT_SAMPLE_H
#define INCIDENT_SAMPLE_H

#include "capture/session.h"
#include "gate/guard_view.h"

/* A sample in progress. Must not be moved. */
struct guard_sample {
	int fd; /* the caller's */
	struct capture_session session;
	struct filter filter;
	struct opt_list names;
	int rc; /* first error of writing the file */
};

/* Starts collecting packets: dropped ones where the gate reports verdicts, else those from the
 * sources among n entries of its table, else all; as many as fit in memory. Writes the head of the
 * file to fd. Returns 0 or -errno. Reports errors. */
int guard_sample_begin(struct guard_sample *s, int fd, const struct guard_view *v,
		       const uint32_t *entries, uint32_t n);
/* Writes the collected packets. Returns 0 or -errno. Does not report errors. */
int guard_sample_end(struct guard_sample *s);

#endif
