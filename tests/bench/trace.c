/* SPDX-License-Identifier: MIT */
/* Compares how sonde and other programs trace connections, in turn: the time from exec to the first
 * reported connection, and the CPU time and memory for thousands. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "base/array.h"
#include "base/clock.h"
#include "base/err.h"
#include "sys/link.h"
#include "sys/netns.h"
#include "tests/bench/run.h"
#include "tests/bench/series.h"

enum {
	PORT = 7777,
	ROUNDS = 5,
	QUICK_ROUNDS = 3,
	CONNECTIONS = 10000,
	QUICK_CONNECTIONS = 2000,
	FIRST_LINE_TIMEOUT_MS = 20000, /* timeout for the first line */
	IDLE_MS = 500,                 /* without a line for this long, the output is complete */
	ARGS_MAX = 8,
	LINE = 512,
};

struct contender {
	const char *name, *argv[ARGS_MAX];
	const char *pattern; /* a string that its lines on these connections contain */
	const char *package; /* the package that has it, NULL: sonde */
	bool missing;
	struct series first_ms, cpu_ms, kib, lines;
	char error[LINE];
};

/* Two programs that do the same work. Ratios are to the first. */
enum { SIDES = 2 };
static struct comparison {
	const char *what;
	struct contender sides[SIDES];
} comparisons[] = {
	{ "opened connections",
	  { { .name = "sonde trace connect",
	      .argv = { "./sonde", "trace", "-q", "--only-new", "connect" },
	      .pattern = ":7777" },
	    { .name = "tcpconnect",
	      .argv = { "tcpconnect" },
	      .pattern = " 7777 ",
	      .package = "libbpf-tools" } } },
	{ "closed connections, at both ends",
	  { { .name = "sonde trace close",
	      .argv = { "./sonde", "trace", "-q", "--only-new", "close" },
	      .pattern = ":7777" },
	    { .name = "tcplife",
	      .argv = { "tcplife" },
	      .pattern = " 7777 ",
	      .package = "libbpf-tools" } } },
	{ "state changes",
	  { { .name = "sonde probe -e",
	      .argv = { "./sonde", "probe", "-q", "-e", "raw:inet_sock_set_state" },
	      .pattern = "inet_sock_set_state" },
	    { .name = "bpftrace -e",
	      .argv = { "bpftrace", "-e",
			"tracepoint:sock:inet_sock_set_state { printf(\"%s/%d "
			"inet_sock_set_state(%d, %d) %d\\n\", comm, pid, args->oldstate, "
			"args->newstate, args->dport); }" },
	      .pattern = "inet_sock_set_state(",
	      .package = "bpftrace" } } },
};
enum { COMPARISONS = ARRAY_LEN(comparisons), CONTENDERS = COMPARISONS * SIDES };

static struct contender *get_contender(unsigned int i)
{
	return &comparisons[i / SIDES].sides[i % SIDES];
}

/* A running contender. Its output is a terminal, since some write to pipes in blocks. */
struct session {
	const struct contender *c;
	pid_t pid;
	bool ended;
	int fd;
	char line[LINE];
	size_t len;
	unsigned long lines;
};

static struct sockaddr_in server_address(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(PORT),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int start_server(pid_t *pid)
{
	struct sockaddr_in addr = server_address();
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	char word[16];

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 4096))
		return fail_errno(-errno, "cannot listen on port %d", PORT);
	*pid = fork();
	if (*pid) {
		close(fd);
		return *pid < 0 ? fail_errno(-errno, "fork") : 0;
	}
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		while (read(peer, word, sizeof(word)) > 0)
			continue;
		close(peer);
	}
}

static void make_connections(unsigned int n)
{
	struct sockaddr_in addr = server_address();

	while (n--) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
			send(fd, "hello", 5, MSG_NOSIGNAL);
		close(fd);
	}
}

static void parse_output(struct session *w, const char *text, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++) {
		if (text[i] != '\n') {
			if (w->len < sizeof(w->line) - 1)
				w->line[w->len++] = text[i];
			continue;
		}
		w->line[w->len] = '\0';
		w->lines += strstr(w->line, w->c->pattern) != NULL;
		w->len = 0;
	}
}

/* Reads output that arrives within ms. False: none. */
static bool read_output(struct session *w, int ms)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };
	static char text[1 << 16];
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return false;
	n = read(w->fd, text, sizeof(text));
	parse_output(w, text, n);
	return n > 0;
}

static int start_contender(struct session *w)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	struct termios raw;

	if (master < 0 || grantpt(master) || unlockpt(master))
		return fail_errno(-errno, "cannot open a terminal");
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &raw))
		return fail_errno(-errno, "cannot open a terminal");
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	w->fd = master;
	w->pid = fork();
	if (!w->pid) {
		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(slave, STDOUT_FILENO);
		dup2(slave, STDERR_FILENO);
		execvp(w->c->argv[0], (char *const *)w->c->argv);
		_exit(127);
	}
	close(slave);
	return w->pid < 0 ? fail_errno(-errno, "fork") : 0;
}

/* Makes connections until it reports one. Returns the milliseconds since start_ns. */
static double wait_first_line(struct session *w, uint64_t start_ns)
{
	while (!w->lines && !w->ended &&
	       clock_mono() - start_ns < FIRST_LINE_TIMEOUT_MS * UINT64_C(1000000)) {
		int status;

		w->ended = waitpid(w->pid, &status, WNOHANG) != 0;
		make_connections(1);
		while (read_output(w, 1) && !w->lines)
			continue;
	}
	return (double)(clock_mono() - start_ns) / 1e6;
}

/* Reads until no more output arrives. */
static void drain_output(struct session *w)
{
	while (read_output(w, IDLE_MS))
		continue;
}

/* Makes n connections as fast as one client can, and reads the output. */
static int run_connections(struct session *w, unsigned int n)
{
	int status;
	pid_t client;

	drain_output(w); /* output on earlier connections */
	w->lines = 0;
	client = fork();
	if (client < 0)
		return fail_errno(-errno, "fork");
	if (!client) {
		make_connections(n);
		_exit(0);
	}
	while (read_output(w, IDLE_MS) || !waitpid(client, &status, WNOHANG))
		continue;
	return 0;
}

/* bpftrace ignores a signal that arrives while it prints, so this repeats SIGINT until it exits. */
static void stop_contender(struct session *w, struct rusage *usage)
{
	int status;

	while (!w->ended) {
		kill(w->pid, SIGINT);
		drain_output(w); /* it may wait until its output is read */
		w->ended = wait4(w->pid, &status, WNOHANG, usage) != 0;
	}
	close(w->fd);
}

/* Runs a contender once. One that this kernel does not support prints why, and is skipped. */
static int run_once(struct contender *c, unsigned int n, bool keep)
{
	struct session w = { .c = c };
	uint64_t start_ns = clock_mono();
	struct rusage usage = { 0 };
	int rc = start_contender(&w);
	double first;
	long kib;

	if (rc)
		return rc;
	first = wait_first_line(&w, start_ns);
	c->missing = !w.lines;
	snprintf(c->error, sizeof(c->error), "%s", w.line);
	if (!c->missing)
		rc = run_connections(&w, n);
	kib = run_peak_kib(w.pid);
	stop_contender(&w, &usage);
	if (rc || !keep || c->missing)
		return rc;
	series_add(&c->first_ms, first);
	series_add(&c->cpu_ms, run_timeval_ms(&usage.ru_utime) + run_timeval_ms(&usage.ru_stime));
	series_add(&c->kib, (double)kib);
	series_add(&c->lines, (double)w.lines);
	return 0;
}

/* first: the contender that ratios are to. */
static void print_contender(const struct contender *c, const struct contender *first)
{
	if (c->missing && *c->error)
		printf("  %-26s %s\n", c->name, c->error);
	else if (c->missing && c->package)
		printf("  %-26s not installed: package %s\n", c->name, c->package);
	else if (c->missing)
		printf("  %-26s missing\n", c->name);
	else
		printf("  %-26s %9.1f %9.0f %9.0f %9.0f   %5.2fx %5.2fx %5.2fx\n", c->name,
		       series_median(&c->first_ms), series_median(&c->cpu_ms),
		       series_median(&c->kib), series_median(&c->lines),
		       series_median(&c->first_ms) / series_median(&first->first_ms),
		       series_median(&c->cpu_ms) / series_median(&first->cpu_ms),
		       series_median(&c->kib) / series_median(&first->kib));
}

static void print_results(unsigned int rounds, unsigned int n)
{
	printf("%u connections on loopback, as fast as one client can, printed on a terminal;\n"
	       "medians of %u rounds. first: from exec to the first reported connection; CPU:\n"
	       "user and system, with loading; KiB: peak resident memory.\n\n"
	       "  %-26s %9s %9s %9s %9s   %6s %6s %6s\n",
	       n, rounds, "", "first ms", "CPU ms", "KiB", "lines", "first", "CPU", "KiB");
	for (int i = 0; i < COMPARISONS; i++) {
		printf(" %s\n", comparisons[i].what);
		for (int k = 0; k < SIDES; k++)
			print_contender(&comparisons[i].sides[k], &comparisons[i].sides[0]);
	}
}

/* Enters a network namespace with a loopback, and mounts the tracefs that peers need. */
static int enter_namespaces(void)
{
	struct nl nl = { 0 };
	struct link link;
	int rc = netns_unshare();

	if (!rc)
		rc = nl_open(&nl, 0);
	if (!rc)
		rc = link_get(&nl, "lo", 0, &link);
	if (!rc)
		rc = link_up(&nl, link.ifindex);
	nl_close(&nl);
	if (rc)
		return fail_errno(rc, "cannot set up a network namespace");
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fail_errno(-errno, "cannot enter a mount namespace");
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	bool quick = argc > 1 && !strcmp(argv[1], "-q");
	unsigned int rounds = quick ? QUICK_ROUNDS : ROUNDS;
	unsigned int n = quick ? QUICK_CONNECTIONS : CONNECTIONS;
	const char *dir = argc > 1 + quick ? argv[1 + quick] : "build";
	pid_t server = 0;
	int rc;

	run_extend_path();
	if (chdir(dir))
		return -fail_errno(-errno, "%s", dir) != 0;
	rc = enter_namespaces();
	if (!rc)
		rc = start_server(&server);
	for (unsigned int i = 0; i < CONTENDERS; i++)
		get_contender(i)->missing = !run_in_path(get_contender(i)->argv[0]);
	/* Round 0 warms the caches. Its results are not kept. Each round starts with another
	 * contender. */
	for (unsigned int round = 0; round <= rounds && !rc; round++)
		for (unsigned int i = 0; i < CONTENDERS && !rc; i++) {
			struct contender *c = get_contender((i + round) % CONTENDERS);

			if (!c->missing)
				rc = run_once(c, n, round > 0);
		}
	if (!rc)
		print_results(rounds, n);
	if (server)
		kill(server, SIGKILL);
	return rc ? 1 : 0;
}
