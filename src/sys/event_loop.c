/* SPDX-License-Identifier: MIT */
/* Waits for one descriptor and one timer by sys/wait.h. */
#include "sys/event_loop.h"
#include "base/clock.h"
#include "base/err.h"
#include "sys/wait.h"

static int call_back(const struct event_loop *l, enum wait_event what, uint64_t *last)
{
	int rc = 0;

	if (what == WAIT_READABLE) {
		rc = l->on_readable(l->arg);
		if (!rc && l->pace && wait_interval(last, l->pace) == WAIT_STOP)
			rc = LOOP_END;
	}
	if (!rc && l->next_timer && clock_mono() >= l->next_timer(l->arg))
		rc = l->on_timer(l->arg, clock_mono());
	return rc;
}

int event_loop_run(const struct event_loop *l)
{
	uint64_t last = 0;
	int rc = 0;

	while (!rc) {
		uint64_t due = l->next_timer ? l->next_timer(l->arg) : UINT64_MAX;
		enum wait_event what = wait_for(l->fd, due < l->end ? due : l->end);

		if (what == WAIT_STDOUT_CLOSED)
			return fail(-EPIPE, "standard output: the reader is gone");
		if (what == WAIT_STOP || clock_mono() >= l->end)
			return 0;
		rc = call_back(l, what, &last);
	}
	return rc == LOOP_END ? 0 : rc;
}
