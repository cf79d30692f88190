/* SPDX-License-Identifier: MIT */
/* A few packets that come to a guard, as a capture file. */
#ifndef INCIDENT_SAMPLE_H
#define INCIDENT_SAMPLE_H

#include "capture/session.h"
#include "gate/guard_view.h"

/* One being taken. Not to be moved. */
struct guard_sample {
	int fd; /* the caller's */
	struct capture_session tap;
	struct filter filter;
	struct opt_list names;
	int rc; /* of what could not be written */
};

/* Take packets from now on: those that are dropped where the gate tells, else those of n entries of
 * its table that are sources', else all. As many as the memory for them holds, the rest is passed
 * over. Said on failure. */
int guard_sample_begin(struct guard_sample *s, int fd, const struct guard_view *v,
		       const uint32_t *entries, uint32_t n);
/* Write what has come. 0 or -errno, unsaid. */
int guard_sample_end(struct guard_sample *s);

#endif
