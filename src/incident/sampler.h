/* SPDX-License-Identifier: MIT */
/* Takes samples of incidents in a separate process, since the watching process has dropped the
 * privileges that capturing needs. */
#ifndef INCIDENT_SAMPLER_H
#define INCIDENT_SAMPLER_H

#include "gate/guard_view.h"
#include "guard/rates.h"

/* Zeroed: not running. */
struct guard_sampler {
	const char *dir;
	int fd, done_fd;
};

/* Starts the sampler, which writes files to an existing directory and ends with this process.
 * Returns 0 or -errno. Reports errors. */
int guard_sampler_start(struct guard_sampler *s, const struct guard_views *views, const char *dir);
/* Requests a sample of one second of packets, starting now, in a new file. Sets *path to the file's
 * path, with a NUL, or empties it on failure. The sampler reports errors. */
void guard_sampler_request(struct guard_sampler *s, size_t view, const struct guard_busy *busy,
			   size_t n, struct buf *path);
/* Waits until the last file is written. */
void guard_sampler_stop(struct guard_sampler *s);

#endif
