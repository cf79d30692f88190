/* SPDX-License-Identifier: MIT */
/* Takes samples of incidents: a process of its own, for whoever watches has given up what that
 * needs. */
#ifndef INCIDENT_SAMPLER_H
#define INCIDENT_SAMPLER_H

#include "gate/guard_view.h"
#include "guard/rates.h"

/* Zeroed: there is none. */
struct guard_sampler {
	const char *dir;
	int fd, done_fd;
};

/* Into files of a directory, which is to be there. Said on failure. It ends with whoever started
 * it. */
int guard_sampler_start(struct guard_sampler *s, const struct guard_views *views, const char *dir);
/* Take packets (guard_sample.h) for a second from now on, into a new file. *path: the file's, with
 * a NUL; empty if there is none, which is said. */
void guard_sampler_ask(struct guard_sampler *s, size_t view, const struct guard_busy *busy,
		       size_t n, struct buf *path);
/* Wait until its last file is written. */
void guard_sampler_stop(struct guard_sampler *s);

#endif
