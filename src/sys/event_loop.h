/* SPDX-License-Identifier: MIT */
/* The event loop of a live command: calls back when a descriptor is readable and when a timer is
 * due. Ends at a time, on a signal, or when standard output is closed. */
#ifndef SYS_EVENT_LOOP_H
#define SYS_EVENT_LOOP_H

#include <stdint.h>

/* A callback returns this to end the loop with success. Other positive values end it, too, and are
 * returned. */
enum { LOOP_END = 1 };

/* Callbacks return 0 to continue, LOOP_END, or -errno after reporting the error. Times are in
 * nanoseconds on the clock of clock_mono(). */
struct event_loop {
	int fd;        /* on_readable is called when it is readable; 0: none */
	uint64_t end;  /* when the loop ends; UINT64_MAX: never */
	uint64_t pace; /* least time between two calls of on_readable, in ns; 0: no limit */
	int (*on_readable)(void *arg);
	uint64_t (*next_timer)(void *arg); /* returns when on_timer is due; NULL: never */
	int (*on_timer)(void *arg, uint64_t now);
	void *arg;
};

/* Runs until the end, a signal (wait_catch_signals()) or LOOP_END, and returns 0 then. Returns a
 * callback's other nonzero value, -EPIPE if standard output is closed, or another -errno. Reports a
 * closed standard output. */
int event_loop_run(const struct event_loop *l);

#endif
