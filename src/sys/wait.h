/* SPDX-License-Identifier: MIT */
/* What a live command waits for: its time, its descriptor, a signal to stop, or its reader's end.
 */
#ifndef SYS_WAIT_H
#define SYS_WAIT_H

#include <stddef.h>
#include <stdint.h>

/* Turn SIGINT, SIGTERM, SIGHUP and SIGQUIT from killers into WAIT_STOP, and SIGPIPE into -EPIPE. */
int wait_catch_signals(void);

/* From now on standard output does not matter: what is made goes elsewhere. */
void wait_ignore_stdout(void);

enum wait_event {
	WAIT_TIMEOUT,       /* the deadline has come */
	WAIT_READABLE,      /* fd can be read */
	WAIT_STOP,          /* a signal asked for the end */
	WAIT_STDOUT_CLOSED, /* nobody reads our standard output any more */
};

/* fd: 0 for none. deadline: of clock_mono(). */
enum wait_event wait_for(int fd, uint64_t deadline);

/* Between two readings of what comes by itself: what comes after a silence is read at once, what
 * comes all the time only so often. last: when this was called before, of clock_mono(), 0 at first;
 * pause: nanoseconds. WAIT_TIMEOUT: go on. */
enum wait_event wait_interval(uint64_t *last, uint64_t pause);

/* Write all of it to a pipe, terminal or socket, for as long as its reader takes; but once a signal
 * has asked for the end, no longer than a reader that is at work needs for a piece. *done: bytes
 * that were written. 0 or -errno; -EINTR: a signal came, and nobody reads. */
int wait_write(int fd, const void *bytes, size_t len, size_t *done);

#endif
