/* SPDX-License-Identifier: MIT */
/* The harness: runs each test in a child that reports its outcome through a pipe. */
#define _GNU_SOURCE
#include "tests/lib/test.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MESSAGE_MAX = 2048,
	EXIT_OUTCOME = 64, /* exit codes from here on are outcomes; exit(0) is none */
};
enum outcome { PASSED, FAILED, SKIPPED, OUTCOMES };

static int outcome_fd = -1; /* the child's end of the pipe */

/* At most PIPE_BUF bytes, so that the write is atomic and does not wait for a reader. */
static _Noreturn void end_test(enum outcome outcome, const char *message)
{
	ssize_t n = write(outcome_fd, message, strlen(message));

	_exit(EXIT_OUTCOME + (n < 0 ? FAILED : (int)outcome));
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	int at = snprintf(message, sizeof(message), "%s:%d: ", file, line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message + at, sizeof(message) - (size_t)at, fmt, ap);
	va_end(ap);
	end_test(FAILED, message);
}

void test_skip(const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	end_test(SKIPPED, message);
}

static int saved_stderr = -1, capture_stderr_fd = -1;

unsigned int test_slow(void)
{
	const char *factor = getenv("TEST_SLOW");
	int times = factor ? atoi(factor) : 1;

	return times > 1 ? (unsigned int)times : 1;
}

void test_capture(void)
{
	saved_stderr = dup(STDERR_FILENO);
	capture_stderr_fd = memfd_create("stderr", MFD_CLOEXEC);
	CHECK(saved_stderr >= 0 && capture_stderr_fd >= 0 &&
		      dup2(capture_stderr_fd, STDERR_FILENO) >= 0,
	      "capturing stderr: %s", strerror(errno));
}

const char *test_captured(void)
{
	static char captured[1 << 20];
	ssize_t n = pread(capture_stderr_fd, captured, sizeof(captured) - 1, 0);

	CHECK(n >= 0 && dup2(saved_stderr, STDERR_FILENO) >= 0, "reading stderr: %s",
	      strerror(errno));
	captured[n] = '\0';
	close(saved_stderr);
	close(capture_stderr_fd);
	return captured;
}

static volatile sig_atomic_t timed_out;
static volatile pid_t running;

static void on_alarm(int sig)
{
	(void)sig;
	timed_out = 1;
	kill(-running, SIGKILL);
}

/* The child has its own process group, so that all it starts is killed. Both processes set it,
 * since either may run first. */
static _Noreturn void run_child(const struct test *t)
{
	setpgid(0, 0);
	signal(SIGALRM, SIG_DFL);
	t->run();
	end_test(PASSED, "");
}

static enum outcome run_one(const struct test *t, char *message)
{
	unsigned int seconds = t->seconds * test_slow();
	int ends[2], status = 0;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return snprintf(message, MESSAGE_MAX, "pipe: %s", strerror(errno)), FAILED;
	fflush(NULL);
	timed_out = 0;
	outcome_fd = ends[1];
	running = fork();
	if (running < 0)
		return snprintf(message, MESSAGE_MAX, "fork: %s", strerror(errno)), FAILED;
	if (!running)
		run_child(t);
	setpgid(running, running);
	alarm(seconds);
	while (waitpid(running, &status, 0) < 0 && errno == EINTR)
		;
	alarm(0);
	kill(-running, SIGKILL);
	n = read(ends[0], message, MESSAGE_MAX - 1);
	message[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	close(ends[1]);
	if (timed_out)
		snprintf(message, MESSAGE_MAX, "not done in %u seconds", seconds);
	else if (WIFSIGNALED(status))
		snprintf(message, MESSAGE_MAX, "killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) < EXIT_OUTCOME ||
		 WEXITSTATUS(status) >= EXIT_OUTCOME + OUTCOMES)
		snprintf(message, MESSAGE_MAX, "exited with %d", WEXITSTATUS(status));
	else
		return (enum outcome)(WEXITSTATUS(status) - EXIT_OUTCOME);
	return FAILED;
}

static bool is_selected(const struct test *t, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(t->name, argv[i]))
			return true;
	return argc <= 1;
}

static double clock_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum outcome run_named(const struct test *t)
{
	static const char *const marks[] = { "ok", "FAIL", "skip" };
	char message[MESSAGE_MAX] = "", took[32] = "";
	double start = clock_seconds();
	enum outcome outcome;

	if (t->needs & TEST_ROOT && geteuid()) {
		outcome = SKIPPED;
		strcpy(message, "needs root");
	} else {
		outcome = run_one(t, message);
	}
	if (clock_seconds() - start >= 1)
		snprintf(took, sizeof(took), " (%.1f s)", clock_seconds() - start);
	printf("%s %s%s%s%s\n", marks[outcome], t->name, outcome == PASSED ? "" : ": ", message,
	       took);
	fflush(stdout);
	return outcome;
}

/* Whether the test belongs to this run. Others are not listed. */
static bool is_wanted(const struct test *t)
{
	return (!(t->needs & TEST_MACHINE) || getenv("TEST_MACHINE")) &&
	       (!(t->needs & TEST_UPGRADE) || getenv("SONDE_OLD"));
}

/* Bounds of the section that TEST() adds to, set by the linker. Weak: it may be missing. */
extern const struct test *const __start_tests[] __attribute__((weak));
extern const struct test *const __stop_tests[] __attribute__((weak));

int test_main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_alarm };
	unsigned int count[OUTCOMES] = { 0 };
	bool list = argc == 2 && !strcmp(argv[1], "-l");

	if (!list && argc > 1 && argv[1][0] == '-') {
		fprintf(stderr, "usage: %s [-l | NAME-PART...]\n", argv[0]);
		return 2;
	}
	sigaction(SIGALRM, &act, NULL);
	for (const struct test *const *t = __start_tests; t < __stop_tests; t++) {
		if (!is_wanted(*t))
			continue;
		if (list)
			puts((*t)->name);
		else if (is_selected(*t, argc, argv))
			count[run_named(*t)]++;
	}
	if (!list && argc > 1 && !(count[PASSED] + count[FAILED] + count[SKIPPED])) {
		fprintf(stderr, "%s: no test has such a name; -l lists them\n", argv[0]);
		return 2;
	}
	if (!list)
		printf("%u passed, %u failed, %u skipped\n", count[PASSED], count[FAILED],
		       count[SKIPPED]);
	return count[FAILED] ? 1 : 0;
}
