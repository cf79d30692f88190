/* SPDX-License-Identifier: MIT */
/* Takes samples of incidents in a process of its own, since the watching process has given up the
 * privileges that takes. */
#ifndef INCIDENT_SAMPLER_H
#define INCIDENT_SAMPLER_H

#include "gate/guard_view.h"
#include "guard/rates.h"

/* Zeroed: not running. */
struct guard_sampler {
	const char *dir;
	int fd, done_fd;
};

/* Starts the sampler; it writes files to an existing directory, and ends with the process that
 * started it. Returns 0 or -errno. Reports errors. */
int guard_sampler_start(struct guard_sampler *s, const struct guard_views *views, const char *dir);
/* Samples a second of packets, starting now, into a new file. Sets *path to the file's, with a NUL,
 * or empties it on failure; the sampler reports errors. */
void guard_sampler_ask(struct guard_sampler *s, size_t view, const struct guard_busy *busy,
		       size_t n, struct buf *path);
/* Waits until the last file is written. */
void guard_sampler_stop(struct guard_sampler *s);

#endif
