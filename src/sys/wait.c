/* SPDX-License-Identifier: MIT */
/* Waiting by poll(2), with signals as a descriptor (signalfd(2)). */
#include "sys/wait.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "base/clock.h"

static int signals;
static bool alone; /* nobody reads our standard output */

int wait_open(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	signals = fd;
	return 0;
}

void wait_alone(void)
{
	alone = true;
}

enum wait_what wait_for(int fd, uint64_t deadline)
{
	struct pollfd p[] = {
		{ .fd = signals ? signals : -1, .events = POLLIN },
		{ .fd = alone ? -1 : STDOUT_FILENO }, /* poll(2) reports a gone reader unasked */
		{ .fd = fd ? fd : -1, .events = POLLIN },
	};

	for (;;) {
		uint64_t now = clock_mono(), left = now < deadline ? deadline - now : 0;
		uint64_t ms = (left + 999999) / 1000000;
		int n = poll(p, 3, ms > INT_MAX ? INT_MAX : (int)ms);

		if (n > 0 && p[0].revents)
			return WAIT_STOP;
		if (n > 0 && p[1].revents & (POLLERR | POLLHUP | POLLNVAL))
			return WAIT_CLOSED;
		if (n > 0)
			return WAIT_FD;
		if (!left)
			return WAIT_TIME;
	}
}
