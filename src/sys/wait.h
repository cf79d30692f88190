/* SPDX-License-Identifier: MIT */
/* Waiting in live commands: for a deadline, a descriptor, a signal, or a closed stdout. */
#ifndef SYS_WAIT_H
#define SYS_WAIT_H

#include <stddef.h>
#include <stdint.h>

/* Makes SIGINT, SIGTERM, SIGHUP and SIGQUIT end wait_for() with WAIT_STOP instead of killing the
 * process, and ignores SIGPIPE, so that writes fail with -EPIPE. Returns 0 or -errno. */
int wait_catch_signals(void);

/* Stops watching stdout, since the output goes elsewhere. */
void wait_ignore_stdout(void);

enum wait_event {
	WAIT_TIMEOUT,       /* the deadline has passed */
	WAIT_READABLE,      /* fd is readable */
	WAIT_STOP,          /* a signal to end was received */
	WAIT_STDOUT_CLOSED, /* the reader of stdout closed it */
};

/* Waits for the first of these events. fd: 0 for none. deadline: ns of clock_mono(), checked
 * last. */
enum wait_event wait_for(int fd, uint64_t deadline);

/* Returns a descriptor for wait_for() that is readable if one of the two is; the caller closes it.
 * Returns -errno on failure. */
int wait_join(int one, int other);

/* Limits how often a source of events is read: returns at once if the last call was at least
 * interval ns ago, else waits for interval ns. *last: time of the last call (clock_mono()),
 * initially 0. Returns WAIT_TIMEOUT (continue), WAIT_STOP or WAIT_STDOUT_CLOSED. */
enum wait_event wait_interval(uint64_t *last, uint64_t interval);

/* Writes all bytes to a pipe, terminal or socket, waiting for the reader. After a signal to end,
 * waits at most a second for the reader to make room. *done: number of bytes written. Returns 0 or
 * -errno; -EINTR: a signal was received and the reader does not read. */
int wait_write(int fd, const void *bytes, size_t len, size_t *done);

#endif
