/* SPDX-License-Identifier: MIT */
/* The capturing programs: how each is started, when it is ready, what it says at the end. */
#define _GNU_SOURCE
#include "tests/bench/receiver.h"
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "net/capfile/capfile.h"
#include "tests/bench/run.h"
#include "tests/lib/cpu.h"

enum { START_S = 5, STOP_S = 20, PIECE = 1 << 20 };

/* Each with its defaults. tcpdump keeps its user, so that it can write where we say; xdpdump
 * without its option is not at XDP. */
struct receiver receivers[RECEIVERS] = {
	[RECEIVER_TCPDUMP] = {
		.name = "tcpdump",
		.argv = { "tcpdump", "-Z", "root", "-i", WIRE_IFACE, "-w", "FILE" },
		.filters = true,
		.ready = "listening on",
		.captured = "([0-9]+) packets? captured",
		.dropped = "([0-9]+) packets? dropped by kernel",
		.settle_s = 1.1,
		.package = "tcpdump",
	},
	[RECEIVER_DUMPCAP] = {
		.name = "dumpcap",
		.argv = { "dumpcap", "-q", "-i", WIRE_IFACE, "-w", "FILE" },
		.filters = true,
		.filter = "-f",
		.ready = "File: ",
		.captured = "Packets captured: ([0-9]+)",
		.dropped = "dropped on interface '[^']*': [0-9]+/([0-9]+)",
		.settle_s = 0.3,
		.package = "wireshark-common",
	},
	[RECEIVER_XDPDUMP] = {
		.name = "xdpdump",
		.argv = { "xdpdump", "-i", WIRE_IFACE, "--load-xdp-program", "-w", "FILE" },
		.ready = "listening on",
		.captured = "([0-9]+) packets? captured",
		.dropped = "([0-9]+) packets? dropped by perf ring",
		.settle_s = 0.3,
		.package = "xdp-tools",
	},
	[RECEIVER_NETSNIFF] = {
		.name = "netsniff-ng",
		.argv = { "netsniff-ng", "--in", WIRE_IFACE, "--out", "FILE", "--silent" },
		.filters = true,
		.filter = "-f",
		.ready = "Running!",
		.captured = "([0-9]+) +packets passed filter",
		.dropped = "([0-9]+) +packets failed filter",
		.settle_s = 0.3,
		.package = "netsniff-ng",
	},
	[RECEIVER_SONDE] = {
		.name = "sonde",
		.argv = { "sonde", "capture", "-i", WIRE_IFACE, "--at", "tc", "-w", "FILE" },
		.filters = true,
		.ready = WIRE_IFACE,
		.captured = "([0-9]+) packets? captured",
		.dropped = "([0-9]+) packets? dropped by kernel",
		.settle_s = 0.2,
	},
	[RECEIVER_SONDE_XDP] = {
		.name = "sonde-xdp",
		.argv = { "sonde", "capture", "-i", WIRE_IFACE, "--at", "xdp", "-w", "FILE" },
		.filters = true,
		.ready = WIRE_IFACE,
		.captured = "([0-9]+) packets? captured",
		.dropped = "([0-9]+) packets? dropped by kernel",
		.settle_s = 0.2,
	},
};

void receivers_find(const char *sonde)
{
	run_widen_path();
	for (int i = 0; i < RECEIVERS; i++) {
		struct receiver *r = &receivers[i];

		if (!r->package)
			r->argv[0] = sonde;
		r->absent = !run_in_path(r->argv[0]);
		if (r->absent)
			printf("left out: %s (%s%s)\n", r->name, r->package ? "package " : "",
			       r->package ? r->package : "not available");
	}
}

/* What it has said so far, as one string. */
static void read_said(const struct receiver *r, char text[RECEIVER_TEXT_MAX])
{
	ssize_t n = pread(r->said, text, RECEIVER_TEXT_MAX - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	for (ssize_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
}

/* number may be NULL. */
static bool matches(const char *text, const char *pattern, uint64_t *number)
{
	regmatch_t at[2];
	regex_t re;
	bool found;

	if (regcomp(&re, pattern, REG_EXTENDED))
		return false;
	found = !regexec(&re, text, 2, at, 0);
	if (found && number)
		*number = strtoull(text + at[1].rm_so, NULL, 10);
	regfree(&re);
	return found;
}

static void become(const struct receiver *r, const struct wire *w, const char *file, bool filtered)
{
	const char *argv[RECEIVER_ARGS_MAX + 3];
	int n = 0, null = open("/dev/null", O_RDONLY);

	for (; r->argv[n]; n++)
		argv[n] = strcmp(r->argv[n], "FILE") ? r->argv[n] : file;
	if (filtered && r->filter)
		argv[n++] = r->filter;
	if (filtered)
		argv[n++] = RECEIVER_FILTER;
	argv[n] = NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDIN_FILENO);
	dup2(r->said, STDOUT_FILENO);
	dup2(r->said, STDERR_FILENO);
	cpu_pin(WIRE_CPU_RECEIVE);
	if (!lab_enter(&w->lab, LAB_FAR))
		execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static bool has_ended(const struct receiver *r)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid;
}

void receiver_kill(struct receiver *r)
{
	if (r->pid > 0) {
		kill(r->pid, SIGKILL);
		while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (r->said > 0)
		close(r->said);
	r->pid = 0;
	r->said = 0;
}

/* It ended by itself, or said nothing: that is for the table, not the end of the benchmark. */
static int give_up(struct receiver *r, const char *why)
{
	char text[RECEIVER_TEXT_MAX], *last;

	read_said(r, text);
	while ((last = strrchr(text, '\n')) && !last[1])
		*last = '\0';
	last = strrchr(text, '\n');
	printf("  %s: not available: it %s (%s)\n", r->name, why, last ? last + 1 : text);
	r->absent = true;
	receiver_kill(r);
	return -ENOEXEC;
}

static int spawn(struct receiver *r, const struct wire *w, const char *file, bool filtered)
{
	fflush(stdout);
	r->said = memfd_create("said", MFD_CLOEXEC);
	if (r->said < 0)
		return fail_errno(-errno, "memory for what %s says", r->name);
	r->pid = fork();
	if (r->pid < 0)
		return fail_errno(-errno, "a process for %s", r->name);
	if (!r->pid)
		become(r, w, file, filtered);
	return 0;
}

static bool await_ready(const struct receiver *r)
{
	uint64_t deadline = clock_mono() + START_S * NS_PER_S;
	char text[RECEIVER_TEXT_MAX] = "";

	while (!matches(text, r->ready, NULL)) {
		if (has_ended(r) || clock_mono() > deadline)
			return false;
		wire_sleep(0.005);
		read_said(r, text);
	}
	wire_sleep(0.1);
	return !has_ended(r);
}

int receiver_start(struct receiver *r, const struct wire *w, const char *file, bool filtered)
{
	for (int attempt = 0;; attempt++) {
		int rc = spawn(r, w, file, filtered);

		if (rc || await_ready(r))
			return rc;
		if (has_ended(r))
			return give_up(r, "ended");
		if (attempt)
			return give_up(r, "does not begin");
		receiver_kill(r); /* the host may have been busy */
	}
}

static uint64_t cpu_now(const struct receiver *r)
{
	clockid_t clock;

	return clock_getcpuclockid(r->pid, &clock) ? 0 : clock_read(clock);
}

void receiver_mark(struct receiver *r)
{
	r->before_ns = cpu_now(r);
}

static double cpu_of(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e9 +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1e3;
}

int receiver_stop(struct receiver *r, struct receipt *receipt)
{
	uint64_t deadline = clock_mono() + STOP_S * NS_PER_S;
	char text[RECEIVER_TEXT_MAX];
	struct rusage usage = { 0 };

	*receipt = (struct receipt){ 0 };
	if (has_ended(r))
		return give_up(r, "ended before its time");
	kill(r->pid, SIGINT);
	while (!has_ended(r)) {
		if (clock_mono() > deadline)
			return give_up(r, "does not end");
		wire_sleep(0.002);
	}
	wait4(r->pid, NULL, 0, &usage);
	r->pid = 0;
	read_said(r, text);
	if (!matches(text, r->captured, &receipt->captured))
		return give_up(r, "does not say how much it captured");
	matches(text, r->dropped, &receipt->dropped);
	receipt->cpu_ns = cpu_of(&usage) - (double)r->before_ns;
	receiver_kill(r);
	return 0;
}

static int count_one(const struct frame *frame, void *arg)
{
	(void)frame;
	++*(uint64_t *)arg;
	return 0;
}

int receiver_count(int fd, const char *file, uint64_t *packets)
{
	struct capfile in = { 0 };
	char *piece = malloc(PIECE);
	ssize_t n = 0;
	int rc = piece ? 0 : -ENOMEM;

	*packets = 0;
	while (!rc && (n = read(fd, piece, PIECE)) > 0)
		rc = capfile_feed(&in, piece, (size_t)n, count_one, packets);
	if (!rc)
		rc = n < 0 ? -errno : capfile_end(&in);
	if (rc)
		fail(rc, "%s: %s", file, *in.diag.msg ? in.diag.msg : err_message(rc));
	capfile_close(&in);
	free(piece);
	return rc;
}
