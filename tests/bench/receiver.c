/* SPDX-License-Identifier: MIT */
/* The capture programs: how each is started, when it is ready, and what it reports at its end. */
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

enum { START_TIMEOUT_S = 5, STOP_TIMEOUT_S = 20, CHUNK = 1 << 20 };

/* Each has its default options. tcpdump keeps its user, so that it can write the file; xdpdump
 * needs the option to load a program at XDP. */
struct receiver receivers[RECEIVERS] = {
	[RECEIVER_TCPDUMP] = {
		.name = "tcpdump",
		.argv = { "tcpdump", "-Z", "root", "-i", WIRE_IFACE, "-w", "FILE" },
		.can_filter = true,
		.ready = "listening on",
		.captured = "([0-9]+) packets? captured",
		.dropped = "([0-9]+) packets? dropped by kernel",
		.wait_s = 1.1,
		.package = "tcpdump",
	},
	[RECEIVER_DUMPCAP] = {
		.name = "dumpcap",
		.argv = { "dumpcap", "-q", "-i", WIRE_IFACE, "-w", "FILE" },
		.can_filter = true,
		.filter_option = "-f",
		.ready = "File: ",
		.captured = "Packets captured: ([0-9]+)",
		.dropped = "dropped on interface '[^']*': [0-9]+/([0-9]+)",
		.wait_s = 0.3,
		.package = "wireshark-common",
	},
	[RECEIVER_XDPDUMP] = {
		.name = "xdpdump",
		.argv = { "xdpdump", "-i", WIRE_IFACE, "--load-xdp-program", "-w", "FILE" },
		.ready = "listening on",
		.captured = "([0-9]+) packets? captured",
		.dropped = "([0-9]+) packets? dropped by perf ring",
		.wait_s = 0.3,
		.package = "xdp-tools",
	},
	[RECEIVER_NETSNIFF] = {
		.name = "netsniff-ng",
		.argv = { "netsniff-ng", "--in", WIRE_IFACE, "--out", "FILE", "--silent" },
		.can_filter = true,
		.filter_option = "-f",
		.ready = "Running!",
		.captured = "([0-9]+) +packets passed filter",
		.dropped = "([0-9]+) +packets failed filter",
		.wait_s = 0.3,
		.package = "netsniff-ng",
	},
	[RECEIVER_SONDE] = {
		.name = "sonde",
		.argv = { "sonde", "capture", "-i", WIRE_IFACE, "--at", "tc", "-w", "FILE" },
		.can_filter = true,
		.ready = WIRE_IFACE,
		.captured = "([0-9]+) packets? captured",
		.dropped = "([0-9]+) packets? dropped by kernel",
		.wait_s = 0.2,
	},
	[RECEIVER_SONDE_XDP] = {
		.name = "sonde-xdp",
		.argv = { "sonde", "capture", "-i", WIRE_IFACE, "--at", "xdp", "-w", "FILE" },
		.can_filter = true,
		.ready = WIRE_IFACE,
		.captured = "([0-9]+) packets? captured",
		.dropped = "([0-9]+) packets? dropped by kernel",
		.wait_s = 0.2,
	},
};

void receivers_find_all(const char *sonde)
{
	run_extend_path();
	for (int i = 0; i < RECEIVERS; i++) {
		struct receiver *r = &receivers[i];

		if (!r->package)
			r->argv[0] = sonde;
		r->missing = !run_in_path(r->argv[0]);
		if (r->missing)
			printf("not installed: %s (%s%s)\n", r->name, r->package ? "package " : "",
			       r->package ? r->package : "not available");
	}
}

/* Its output so far, as one string. */
static void read_output(const struct receiver *r, char text[RECEIVER_TEXT_MAX])
{
	ssize_t n = pread(r->output_fd, text, RECEIVER_TEXT_MAX - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	for (ssize_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
}

/* Whether the pattern matches. Sets *number from the first group; may be NULL. */
static bool match_output(const char *text, const char *pattern, uint64_t *number)
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

static void exec_receiver(const struct receiver *r, const struct wire *w, const char *file,
			  bool filtered)
{
	const char *argv[RECEIVER_ARGS_MAX + 3];
	int n = 0, null = open("/dev/null", O_RDONLY);

	for (; r->argv[n]; n++)
		argv[n] = strcmp(r->argv[n], "FILE") ? r->argv[n] : file;
	if (filtered && r->filter_option)
		argv[n++] = r->filter_option;
	if (filtered)
		argv[n++] = RECEIVER_FILTER;
	argv[n] = NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDIN_FILENO);
	dup2(r->output_fd, STDOUT_FILENO);
	dup2(r->output_fd, STDERR_FILENO);
	cpu_pin(WIRE_CPU_RECEIVE);
	if (!lab_enter(&w->lab, LAB_FAR))
		execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static bool has_exited(const struct receiver *r)
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
	if (r->output_fd > 0)
		close(r->output_fd);
	r->pid = 0;
	r->output_fd = 0;
}

/* Reports a receiver that exited by itself or does not work. The benchmark goes on without it. */
static int mark_unavailable(struct receiver *r, const char *why)
{
	char text[RECEIVER_TEXT_MAX], *last;

	read_output(r, text);
	while ((last = strrchr(text, '\n')) && !last[1])
		*last = '\0';
	last = strrchr(text, '\n');
	printf("  %s is skipped: it %s (%s)\n", r->name, why, last ? last + 1 : text);
	r->missing = true;
	receiver_kill(r);
	return -ENOEXEC;
}

static int spawn_receiver(struct receiver *r, const struct wire *w, const char *file, bool filtered)
{
	fflush(stdout);
	r->output_fd = memfd_create("output", MFD_CLOEXEC);
	if (r->output_fd < 0)
		return fail_errno(-errno, "cannot make a memfd for the output of %s", r->name);
	r->pid = fork();
	if (r->pid < 0)
		return fail_errno(-errno, "cannot start a process for %s", r->name);
	if (!r->pid)
		exec_receiver(r, w, file, filtered);
	return 0;
}

static bool wait_until_ready(const struct receiver *r)
{
	uint64_t deadline = clock_mono() + START_TIMEOUT_S * NS_PER_S;
	char text[RECEIVER_TEXT_MAX] = "";

	while (!match_output(text, r->ready, NULL)) {
		if (has_exited(r) || clock_mono() > deadline)
			return false;
		wire_sleep(0.005);
		read_output(r, text);
	}
	wire_sleep(0.1);
	return !has_exited(r);
}

int receiver_start(struct receiver *r, const struct wire *w, const char *file, bool filtered)
{
	for (int attempt = 0;; attempt++) {
		int rc = spawn_receiver(r, w, file, filtered);

		if (rc || wait_until_ready(r))
			return rc;
		if (has_exited(r))
			return mark_unavailable(r, "exited");
		if (attempt)
			return mark_unavailable(r, "did not start");
		receiver_kill(r); /* the host may have been too busy */
	}
}

static uint64_t read_cpu_ns(const struct receiver *r)
{
	clockid_t clock;

	return clock_getcpuclockid(r->pid, &clock) ? 0 : clock_read(clock);
}

void receiver_start_timing(struct receiver *r)
{
	r->start_cpu_ns = read_cpu_ns(r);
}

static double get_cpu_ns(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e9 +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1e3;
}

int receiver_stop(struct receiver *r, struct receiver_result *result)
{
	uint64_t deadline = clock_mono() + STOP_TIMEOUT_S * NS_PER_S;
	char text[RECEIVER_TEXT_MAX];
	struct rusage usage = { 0 };

	*result = (struct receiver_result){ 0 };
	if (has_exited(r))
		return mark_unavailable(r, "exited too early");
	kill(r->pid, SIGINT);
	while (!has_exited(r)) {
		if (clock_mono() > deadline)
			return mark_unavailable(r, "did not exit");
		wire_sleep(0.002);
	}
	wait4(r->pid, NULL, 0, &usage);
	r->pid = 0;
	read_output(r, text);
	if (!match_output(text, r->captured, &result->captured))
		return mark_unavailable(r, "did not report how many packets it captured");
	match_output(text, r->dropped, &result->dropped);
	result->cpu_ns = get_cpu_ns(&usage) - (double)r->start_cpu_ns;
	receiver_kill(r);
	return 0;
}

static int count_frame(const struct frame *frame, void *arg)
{
	(void)frame;
	++*(uint64_t *)arg;
	return 0;
}

int receiver_count(int fd, const char *file, uint64_t *packets)
{
	struct capfile in = { 0 };
	char *chunk = malloc(CHUNK);
	ssize_t n = 0;
	int rc = chunk ? 0 : -ENOMEM;

	*packets = 0;
	while (!rc && (n = read(fd, chunk, CHUNK)) > 0)
		rc = capfile_feed(&in, chunk, (size_t)n, count_frame, packets);
	if (!rc)
		rc = n < 0 ? -errno : capfile_end(&in);
	if (rc)
		fail(rc, "%s: %s", file, *in.diag.msg ? in.diag.msg : err_message(rc));
	capfile_close(&in);
	free(chunk);
	return rc;
}
