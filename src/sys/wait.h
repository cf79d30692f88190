/* SPDX-License-Identifier: MIT */
/* Waiting in live commands: for a deadline, a descriptor, a signal, or a closed stdout. */
#ifndef SYS_WAIT_H
#define SYS_WAIT_H

#include <stddef.h>
#include <stdint.h>

/* From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT do not kill the process but make wait_for()
 * return WAIT_STOP; SIGPIPE is ignored, so writes fail with -EPIPE. Returns 0 or -errno. */
int wait_catch_signals(void);

/* From now on a closed stdout is not reported: the output goes elsewhere. */
void wait_ignore_stdout(void);

enum wait_event {
	WAIT_TIMEOUT,       /* the deadline has passed */
	WAIT_READABLE,      /* fd is readable */
	WAIT_STOP,          /* a signal asked the command to end */
	WAIT_STDOUT_CLOSED, /* the reader of stdout has closed it */
};

/* Waits for the first of these events. fd: 0 for none; deadline: on the clock of clock_mono(). The
 * deadline is checked last. */
enum wait_event wait_for(int fd, uint64_t deadline);

/* Returns a descriptor that can be read if one of the two can, for wait_for(); the caller closes
 * it. Returns -errno on failure. */
int wait_join(int one, int other);

/* Limits how often a source of events is read: returns at once if the last call is at least
 * interval ns ago, else waits for an interval. *last: time of the last call (clock_mono()),
 * initially 0. Returns WAIT_TIMEOUT (go on), WAIT_STOP or WAIT_STDOUT_CLOSED. */
enum wait_event wait_interval(uint64_t *last, uint64_t interval);

/* Writes all bytes to a pipe, terminal or socket, waiting for the reader. After a signal to end, it
 * waits at most a second for the reader to make room. *done: number of bytes written. Returns 0 or
 * -errno; -EINTR: a signal came and the reader does not read. */
int wait_write(int fd, const void *bytes, size_t len, size_t *done);

#endif
