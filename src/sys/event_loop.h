/* SPDX-License-Identifier: MIT */
/* The loop of a live command: wakes for a descriptor and for timers, ends by time, by a signal, or
 * when nobody reads standard output any more. */
#ifndef SYS_EVENT_LOOP_H
#define SYS_EVENT_LOOP_H

#include <stdint.h>

/* What a callback returns to end the loop well; other positive values are passed on, too. */
enum { LOOP_END = 1 };

/* Callbacks return 0 to go on, LOOP_END, or -errno after reporting the error. Times are of
 * clock_mono(), in nanoseconds. */
struct event_loop {
	int fd;        /* on_readable is called when it can be read; 0: none */
	uint64_t end;  /* the loop ends then; UINT64_MAX: never */
	uint64_t pace; /* least time between two calls of on_readable; 0: none */
	int (*on_readable)(void *arg);
	uint64_t (*next_timer)(void *arg); /* when on_timer is due; NULL: never */
	int (*on_timer)(void *arg, uint64_t now);
	void *arg;
};

/* Run until the end, a signal (wait_catch_signals()) or LOOP_END: 0. -EPIPE, which is reported, if
 * standard output is closed; what a callback returned below 0. */
int event_loop_run(const struct event_loop *l);

#endif
