/* SPDX-License-Identifier: MIT */
/* Captures some of the packets that reach a guarded interface into a file. */
#ifndef INCIDENT_SAMPLE_H
#define INCIDENT_SAMPLE_H

#include "capture/session.h"
#include "gate/guard_view.h"

/* A sample in progress. Must not be moved. */
struct guard_sample {
	int fd; /* owned by the caller */
	struct capture_session session;
	struct filter filter;
	struct opt_list names;
	int rc; /* first error of writing the file, or 0 */
};

/* Starts collecting as many packets as fit in memory: dropped ones if the gate reports verdicts,
 * else those from the sources among n entries of its table, else all. Writes the head of the file
 * to fd. Returns 0 or -errno. Reports errors. */
int guard_sample_begin(struct guard_sample *s, int fd, const struct guard_view *v,
		       const uint32_t *entries, uint32_t n);
/* Writes the collected packets. Returns 0 or -errno. Does not report errors. */
int guard_sample_end(struct guard_sample *s);

#endif
