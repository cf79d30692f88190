/* SPDX-License-Identifier: MIT */
/* A few packets of an incident, as it begins: a capture file. A process of its own takes them, for
 * whoever watches has given up what that needs. */
#ifndef CMD_GUARD_SAMPLE_H
#define CMD_GUARD_SAMPLE_H

#include "cmd/guard_rates.h"

/* Zeroed: there is none. */
struct guard_sampler {
	const char *dir;
	int fd, done_fd;
};

/* Into files of a directory, which is to be there. Said on failure. It ends with whoever started
 * it. */
int guard_sampler_start(struct guard_sampler *s, const struct guard_views *views, const char *dir);
/* Take packets from now on, for a second, into a new file: those that are dropped where the gate
 * tells, else those of the busiest sources, else all. As many as the memory for them holds, the
 * rest is passed over. *path: the file's, with a NUL; empty if there is none, which is said. */
void guard_sampler_ask(struct guard_sampler *s, size_t view, const struct guard_busy *busy,
		       size_t n, struct buf *path);
/* Wait until its last file is written. */
void guard_sampler_stop(struct guard_sampler *s);

#endif
