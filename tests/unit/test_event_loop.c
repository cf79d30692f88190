/* SPDX-License-Identifier: MIT */
/* The event loop of live commands: what wakes it, in which order, and what ends it. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "sys/event_loop.h"
#include "sys/pidfd.h"
#include "sys/wait.h"
#include "tests/unit/capture_stderr.h"
#include "tests/unit/suites.h"

#define MS UINT64_C(1000000)

struct calls {
	int fd, readable, timers;
	uint64_t next, every;
	int end_after;   /* number of timers; 0: never */
	int read_result; /* result of on_readable */
};

static int on_readable(void *arg)
{
	struct calls *c = arg;
	char byte;

	c->readable++;
	ck_assert_int_eq(read(c->fd, &byte, 1), 1);
	return c->read_result;
}

static uint64_t next_timer(void *arg)
{
	return ((const struct calls *)arg)->next;
}

static int on_timer(void *arg, uint64_t now)
{
	struct calls *c = arg;

	ck_assert_uint_ge(now, c->next);
	c->timers++;
	c->next = now + c->every;
	return c->timers == c->end_after ? LOOP_END : 0;
}

static int run_loop(struct calls *c, uint64_t duration)
{
	const struct event_loop loop = {
		.fd = c->fd,
		.end = duration ? clock_mono() + duration : UINT64_MAX,
		.on_readable = on_readable,
		.next_timer = c->every ? next_timer : NULL,
		.on_timer = on_timer,
		.arg = c,
	};

	return event_loop_run(&loop);
}

START_TEST(ends_after_its_duration)
{
	struct calls c = { 0 };
	uint64_t start = clock_mono();

	ck_assert_int_eq(run_loop(&c, 20 * MS), 0);
	ck_assert_uint_ge(clock_mono() - start, 20 * MS);
	ck_assert_int_eq(c.readable + c.timers, 0);
}
END_TEST

START_TEST(timers_run_and_may_end_the_loop)
{
	struct calls c = { .next = clock_mono() + MS, .every = 2 * MS, .end_after = 3 };

	ck_assert_int_eq(run_loop(&c, 0), 0);
	ck_assert_int_eq(c.timers, 3);
}
END_TEST

START_TEST(readable_descriptors_are_read)
{
	struct calls c = { 0 };
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(write(p[1], "abc", 3), 3);
	c.fd = p[0];
	ck_assert_int_eq(run_loop(&c, 20 * MS), 0);
	ck_assert_int_eq(c.readable, 3);
	close(p[0]);
	close(p[1]);
}
END_TEST

/* Two descriptors joined into one: either makes it readable. */
START_TEST(joined_descriptors_wake)
{
	int one[2], other[2], fd;

	ck_assert_int_eq(pipe(one), 0);
	ck_assert_int_eq(pipe(other), 0);
	fd = wait_join(one[0], other[0]);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(wait_for(fd, clock_mono() + MS), WAIT_TIMEOUT);
	ck_assert_int_eq(write(other[1], "x", 1), 1);
	ck_assert_int_eq(wait_for(fd, clock_mono() + NS_PER_S), WAIT_READABLE);
	ck_assert_int_eq(read(other[0], &(char){ 0 }, 1), 1);
	ck_assert_int_eq(wait_for(fd, clock_mono() + MS), WAIT_TIMEOUT);
	close(one[1]); /* a closed pipe is readable, too */
	ck_assert_int_eq(wait_for(fd, clock_mono() + NS_PER_S), WAIT_READABLE);
	close(fd);
	close(one[0]);
	close(other[0]);
	close(other[1]);
	ck_assert_int_lt(wait_join(-1, -1), 0);
}
END_TEST

START_TEST(ended_processes_are_detected)
{
	pid_t pid = fork();
	int fd;

	if (!pid) {
		pause();
		_exit(0);
	}
	fd = pidfd_open_process((uint32_t)pid);
	ck_assert_int_ge(fd, 0);
	ck_assert(!pidfd_has_ended(fd));
	kill(pid, SIGKILL);
	ck_assert_int_eq(wait_for(fd, clock_mono() + 10 * NS_PER_S), WAIT_READABLE);
	ck_assert(pidfd_has_ended(fd));
	waitpid(pid, NULL, 0);
	close(fd);
	ck_assert_int_eq(pidfd_open_process((uint32_t)pid), -ESRCH);
}
END_TEST

START_TEST(an_error_ends_the_loop)
{
	struct calls c = { .read_result = -EIO };
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(write(p[1], "ab", 2), 2);
	c.fd = p[0];
	ck_assert_int_eq(run_loop(&c, 0), -EIO);
	ck_assert_int_eq(c.readable, 1);
	close(p[0]);
	close(p[1]);
}
END_TEST

START_TEST(a_closed_stdout_ends_the_loop)
{
	struct calls c = { 0 };
	int p[2], saved_stdout = dup(STDOUT_FILENO);

	ck_assert_int_eq(pipe(p), 0);
	close(p[0]);
	dup2(p[1], STDOUT_FILENO);
	capture_stderr_begin(STDERR_FILENO);
	ck_assert_int_eq(run_loop(&c, 0), -EPIPE);
	dup2(saved_stdout, STDOUT_FILENO);
	close(saved_stdout);
	close(p[1]);
	capture_stderr_end(STDERR_FILENO);
	ck_assert_ptr_nonnull(strstr(captured, "the reader is gone"));
}
END_TEST

Suite *event_loop_suite(void)
{
	Suite *s = suite_create("event_loop");
	TCase *t = tcase_create("event_loop");

	tcase_add_test(t, ends_after_its_duration);
	tcase_add_test(t, timers_run_and_may_end_the_loop);
	tcase_add_test(t, readable_descriptors_are_read);
	tcase_add_test(t, joined_descriptors_wake);
	tcase_add_test(t, ended_processes_are_detected);
	tcase_add_test(t, an_error_ends_the_loop);
	tcase_add_test(t, a_closed_stdout_ends_the_loop);
	suite_add_tcase(s, t);
	return s;
}
