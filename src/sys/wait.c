/* SPDX-License-Identifier: MIT */
/* Waits by poll(2), with signals as a descriptor (signalfd(2)). */
#include "sys/wait.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "base/clock.h"

enum { FINAL_WRITE_MS = 1000 };

static int signal_fd;
static bool stdout_ignored; /* output does not go to stdout: do not watch it */

int wait_catch_signals(void)
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
	signal_fd = fd;
	return 0;
}

void wait_ignore_stdout(void)
{
	stdout_ignored = true;
}

enum wait_event wait_for(int fd, uint64_t deadline)
{
	/* poll(2) always reports POLLERR, which a closed reader of stdout causes. */
	struct pollfd p[] = {
		{ .fd = signal_fd ? signal_fd : -1, .events = POLLIN },
		{ .fd = stdout_ignored ? -1 : STDOUT_FILENO },
		{ .fd = fd ? fd : -1, .events = POLLIN },
	};

	for (;;) {
		uint64_t now = clock_mono(), left = now < deadline ? deadline - now : 0;
		uint64_t ms = (left + 999999) / 1000000;
		int n = poll(p, 3, ms > INT_MAX ? INT_MAX : (int)ms);

		if (n > 0 && p[0].revents)
			return WAIT_STOP;
		if (n > 0 && p[1].revents & (POLLERR | POLLHUP | POLLNVAL))
			return WAIT_STDOUT_CLOSED;
		if (n > 0)
			return WAIT_READABLE;
		if (!left)
			return WAIT_TIMEOUT;
	}
}

int wait_join(int one, int other)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(EPOLL_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	if (!epoll_ctl(fd, EPOLL_CTL_ADD, one, &event) &&
	    !epoll_ctl(fd, EPOLL_CTL_ADD, other, &event))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

enum wait_event wait_interval(uint64_t *last, uint64_t interval)
{
	uint64_t now = clock_mono();
	bool silent = now - *last >= interval;
	enum wait_event event = silent ? WAIT_TIMEOUT : wait_for(0, now + interval);

	*last = clock_mono();
	return event;
}

/* Waits until fd is writable. Returns 0 or -errno. */
static int wait_writable(int fd)
{
	struct pollfd p[] = {
		{ .fd = signal_fd ? signal_fd : -1, .events = POLLIN },
		{ .fd = fd, .events = POLLOUT },
	};

	for (;;) {
		int n = poll(p, 2, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && p[1].revents)
			return 0;
		if (n > 0 && poll(&p[1], 1, FINAL_WRITE_MS) != 1)
			return -EINTR;
	}
}

/* A writable pipe has room for at least PIPE_BUF bytes (pipe(7)). */
int wait_write(int fd, const void *bytes, size_t len, size_t *done)
{
	*done = 0;
	while (*done < len) {
		size_t piece = len - *done < PIPE_BUF ? len - *done : PIPE_BUF;
		int rc = wait_writable(fd);
		ssize_t n;

		if (rc)
			return rc;
		n = write(fd, (const char *)bytes + *done, piece);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		*done += (size_t)n;
	}
	return 0;
}
