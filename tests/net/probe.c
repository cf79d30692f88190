/* SPDX-License-Identifier: MIT */
/* Scenarios of sonde probe: hits are counted exactly, with arguments and return values. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sys/perf.h"
#include "tests/lib/require.h"
#include "tests/net/file.h"
#include "tests/net/net.h"
#include "tests/net/prom.h"
#include "tests/net/trace.h"

enum {
	CALLS = 200,
	FEW = 20,
	DEEP = 6,
	DEEPER = 100, /* kernels track 64 pending returns of a thread */
	MANY = 20000, /* hits, more than fit into a pipe and the ring */
	WORDS = 512
};

static struct sonde a;

long probed_here(long n, const char *word);
int probed_deep(int n);

/* The probed functions; the compiler must not optimize the calls. */
__attribute__((noinline, used)) long probed_here(long n, const char *word)
{
	asm volatile("" : "+r"(n), "+r"(word) : : "memory");
	return n % 4 ? n + 1000 : -ENOENT;
}

__attribute__((noinline, used)) int probed_deep(int n)
{
	int below = 0;

	if (n)
		below = probed_deep(n - 1) + 1;
	asm volatile("" : "+r"(below) : : "memory"); /* no loop */
	return below;
}

/* A probe of a function of this program. */
static const char *own_probe(const char *kind, const char *symbol)
{
	static char text[4][WORDS];
	static int at;
	char *to = text[at++ % 4];

	snprintf(to, WORDS, "%s:%s:%s", kind, (const char *)getauxval(AT_EXECFN), symbol);
	return to;
}

/* A process that calls a function on request, and ends when its pipe is closed. */
struct worker {
	pid_t pid;
	int go;
	char text[16];
};

static struct worker worker_start(void (*what)(void))
{
	struct worker w;
	int fds[2];
	char word;

	CHECK(!pipe2(fds, O_CLOEXEC), "pipe: %s", strerror(errno));
	w.go = fds[1];
	w.pid = fork();
	if (!w.pid) {
		close(fds[1]);
		if (read(fds[0], &word, 1) == 1)
			what();
		_exit(read(fds[0], &word, 1) > 0);
	}
	close(fds[0]);
	snprintf(w.text, sizeof(w.text), "%d", w.pid);
	return w;
}

static void worker_signal(const struct worker *w)
{
	CHECK(write(w->go, "x", 1) == 1, "write");
}

static void worker_wait(struct worker *w)
{
	int status;

	close(w->go);
	CHECK(waitpid(w->pid, &status, 0) == w->pid && WIFEXITED(status), "the child was killed");
}

static void worker_run(struct worker *w)
{
	worker_signal(w);
	worker_wait(w);
}

/* The string is on the stack, so its memory is present. */
__attribute__((noinline)) static void call_here(void)
{
	char word[] = "a word";

	for (long n = 0; n < CALLS; n++)
		probed_here(n, word);
}

static void call_deep(void)
{
	probed_deep(DEEP);
}

static uint64_t count_hits(const char *probe)
{
	char word[WORDS];

	snprintf(word, sizeof(word), "\"probe\":\"%s\"", probe);
	return JSON_SUM(a.out, "hits", "\"record\":\"probe_count\"", word);
}

static void need_uprobes(const char *err)
{
	if (strstr(err, "this kernel has no uprobes"))
		SKIP("this kernel has no uprobes");
}

/* s390x's kernels before 6.7 do not walk the stacks of programs (perf_callchain_user()). */
static void need_program_stacks(void)
{
	struct utsname u;
	unsigned int major, minor;

	CHECK(!uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2, "uname");
	if (!strcmp(u.machine, "s390x") && (major < 6 || (major == 6 && minor < 7)))
		SKIP("this kernel has no stacks of programs");
}

/* A program's function is counted for the requested process, until that ends. */
SCENARIO(probe_user, 60)
{
	struct worker w = worker_start(call_here), other = worker_start(call_here);
	const char *in = own_probe("uprobe", "probed_here"),
		   *out = own_probe("uretprobe", "probed_here");

	SONDE_START(&a, "probe", "--json", "--returned", "-p", w.text, in, out);
	sonde_poll(&a, 2000);
	need_uprobes(a.err);
	sonde_await_err(&a, "attached");
	worker_run(&other);
	worker_run(&w);
	CHECK(!sonde_wait(&a), "%s", a.err);
	CHECK(strstr(a.err, "has ended"), "%s", a.err);
	expect_documented(a.out, "probe");
	CHECK(count_hits(in) == CALLS && count_hits(out) == CALLS, "%s", a.out);
	CHECK(LINES_WITH(a.out, "\"record\":\"probe_count\"") == 2, "unexpected records: %s",
	      a.out);
	CHECK(JSON_SUM(a.out, "calls", "\"record\":\"probe_latency\"") == CALLS, "%s", a.out);
	CHECK(JSON_SUM(a.out, "calls", "\"record\":\"probe_latency_total\"") == CALLS, "%s", a.out);
	CHECK(JSON_SUM(a.out, "times", "\"record\":\"probe_value\"", "\"returned\":1001,") == 1,
	      "%s", a.out);
	CHECK(JSON_SUM(a.out, "times", "\"record\":\"probe_value\"") == CALLS, "%s", a.out);
}

/* Nested calls: each is timed from its own entry. */
SCENARIO(probe_nested, 60)
{
	struct worker w = worker_start(call_deep);
	const char *out = own_probe("uretprobe", "probed_deep");

	SONDE_START(&a, "probe", "-e", "--json", out, "pid", w.text);
	sonde_poll(&a, 2000);
	need_uprobes(a.err);
	sonde_await_err(&a, "attached");
	worker_run(&w);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	expect_documented(a.out, "probe");
	CHECK(count_hits(out) == DEEP + 1, "%s", a.out);
	CHECK(JSON_SUM(a.out, "calls", "\"record\":\"probe_latency\"") == DEEP + 1, "%s", a.out);
	for (int n = 0; n <= DEEP; n++) {
		char returned[32], args[64];

		snprintf(returned, sizeof(returned), "\"returned\":%d,", n);
		snprintf(args, sizeof(args), "\"arguments\":[{\"name\":null,\"value\":%d,", n);
		CHECK(LINES_WITH(a.out, "\"record\":\"probe_hit\"", returned, args) == 1, "%d: %s",
		      n, a.out);
	}
}

static void call_deeper(void)
{
	probed_deep(DEEPER);
}

/* Calls whose return the kernel does not report are counted. */
SCENARIO(probe_unreturned, 60)
{
	struct worker w = worker_start(call_deeper);
	const char *out = own_probe("uretprobe", "probed_deep"), *rest;
	uint64_t timed;

	SONDE_START(&a, "probe", "--json", out, "pid", w.text);
	sonde_poll(&a, 2000);
	need_uprobes(a.err);
	sonde_await_err(&a, "attached");
	worker_run(&w);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	timed = JSON_SUM(a.out, "calls", "\"record\":\"probe_latency\"");
	rest = strstr(a.err, " calls were not timed");
	CHECK(rest && timed, "%s%s", a.out, a.err);
	while (rest[-1] >= '0' && rest[-1] <= '9')
		rest--;
	CHECK(timed + strtoull(rest, NULL, 10) == DEEPER + 1, "%s%s", a.out, a.err);
}

/* Hits one by one: strings, numbers, and stacks from the function to its caller. */
SCENARIO(probe_events, 60)
{
	struct worker w = worker_start(call_here);
	const char *in = own_probe("uprobe", "probed_here");

	SONDE_START(&a, "probe", "-e", "-k", "-c", "3", "--string", "2", "-p", w.text, in);
	sonde_poll(&a, 2000);
	need_uprobes(a.err);
	sonde_await_err(&a, "attached");
	worker_signal(&w);
	CHECK(!sonde_wait(&a), "%s", a.err);
	worker_wait(&w);
	CHECK(LINES_WITH(a.out, "probed_here(0, \"a word\"") == 1 &&
		      LINES_WITH(a.out, "probed_here(2, \"a word\"") == 1,
	      "%s", a.out);
	CHECK(sonde_number(&a, "hits shown") == 3, "%s", a.err);
	need_program_stacks();
	CHECK(LINES_WITH(a.out, "    probed_here+0x0") >= 3, "%s", a.out);
	CHECK(LINES_WITH(a.out, "    call_here+0x") >= 3, "%s", a.out);
}

static void call_listen(void)
{
	int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);

	for (int n = 0; n < FEW; n++)
		listen(tcp, n);
	for (int n = 0; n < FEW / 4; n++)
		listen(udp, n); /* refused before TCP's function is called */
	close(tcp);
	listen(tcp, 0);
}

/* Probes functions of the kernel. */
SCENARIO(probe_kernel, 60)
{
	struct worker w = worker_start(call_listen);

	if (!perf_has_kprobes())
		SKIP("this kernel has no kprobes");
	SONDE_START(&a, "probe", "-e", "--json", "-k", "kprobe:inet_listen",
		    "kretprobe:inet_listen", "pid", w.text);
	sonde_poll(&a, 3000);
	if (strstr(a.err, "lockdown"))
		SKIP("this kernel does not let programs read its memory");
	if (strstr(a.err, "kprobes on ftrace"))
		SKIP("this kernel has no kprobes at function entries");
	sonde_await_err(&a, "attached");
	worker_run(&w);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(count_hits("kprobe:inet_listen") == FEW && count_hits("kretprobe:inet_listen") == FEW,
	      "%s", a.out);
	CHECK(JSON_SUM(a.out, "calls", "\"record\":\"probe_latency\"") == FEW, "%s", a.out);
	CHECK(LINES_WITH(a.out, "\"record\":\"probe_hit\"", "\"returned\":0,") == FEW, "%s", a.out);
	/* arguments have names where the kernel describes its functions */
	CHECK(LINES_WITH(a.out, "\"record\":\"probe_hit\"",
			 "{\"name\":\"backlog\",\"value\":7,\"text\":null}]") == 2 ||
		      LINES_WITH(a.out, "\"record\":\"probe_hit\"", "\"value\":7,") >= 2,
	      "%s", a.out);
	CHECK(LINES_WITH(a.out, "\"record\":\"probe_hit\"", "\"kernel_stack\":[\"inet_listen+0x") >=
		      FEW,
	      "%s", a.out);
	SONDE_RUN(&a, "probe", "kprobe:inet_lisen");
	sonde_expect_line(&a, 1, "did you mean inet_listen?");
}

/* System calls, probed at the tracepoints that all of them share: results with their errors. */
SCENARIO(probe_calls, 60)
{
	struct worker w = worker_start(call_listen);

	require_types();
	require_memory();
	SONDE_START(&a, "probe", "--json", "--returned", "tracepoint:syscalls:sys_enter_listen",
		    "tracepoint:syscalls:sys_exit_listen", "pid", w.text);
	sonde_await_err(&a, "attached");
	worker_run(&w);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(count_hits("tracepoint:syscalls:sys_enter_listen") == FEW + FEW / 4 + 1 &&
		      count_hits("tracepoint:syscalls:sys_exit_listen") == FEW + FEW / 4 + 1,
	      "%s", a.out);
	CHECK(JSON_SUM(a.out, "errors", "sys_exit_listen") == FEW / 4 + 1, "%s", a.out);
	CHECK(JSON_SUM(a.out, "times", "\"error\":\"EOPNOTSUPP\"") == FEW / 4, "%s", a.out);
	CHECK(JSON_SUM(a.out, "times", "\"error\":\"EBADF\"") == 1, "%s", a.out);
	SONDE_RUN(&a, "probe", "tracepoint:syscalls:sys_enter_lisen");
	sonde_expect_line(&a, 1, "did you mean sys_enter_listen?");
}

/* Tracepoints with and without their category, which only tracefs knows. */
SCENARIO(probe_raw, 60)
{
	struct worker w = worker_start(call_listen);

	require_types();
	SONDE_START(&a, "probe", "-e", "--json", "raw:inet_sock_set_state",
		    "tracepoint:sock:inet_sock_set_state", "pid", w.text);
	sonde_await_err(&a, "attached");
	worker_run(&w);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	/* CLOSE to LISTEN, and back */
	CHECK(LINES_WITH(a.out, "\"probe\":\"raw:inet_sock_set_state\"",
			 "{\"name\":\"oldstate\",\"value\":7,\"text\":null},"
			 "{\"name\":\"newstate\",\"value\":10,\"text\":null}") == 1 &&
		      count_hits("raw:inet_sock_set_state") ==
			      count_hits("tracepoint:sock:inet_sock_set_state"),
	      "%s", a.out);
	SONDE_RUN(&a, "probe", "raw:inet_sock_set_stat");
	sonde_expect_line(&a, 1, "did you mean inet_sock_set_state?");
}

SCENARIO(probe_lists, 60)
{
	char word[WORDS];

	require_types();
	SONDE_RUN(&a, "probe", "list", "raw:inet_sock_*");
	CHECK(!a.rc && LINES_WITH(a.out, "raw:inet_sock_set_state") == 1 &&
		      LINES_WITH(a.out, "raw:inet_sock_") == lines_of(a.out),
	      "%s%s", a.out, a.err);
	SONDE_RUN(&a, "probe", "list", own_probe("uprobe", "probed_"));
	snprintf(word, sizeof(word), "uprobe:%s:probed_here", (const char *)getauxval(AT_EXECFN));
	CHECK(!a.rc && LINES_WITH(a.out, word) && lines_of(a.out) >= 2, "%s%s", a.out, a.err);
	SONDE_RUN(&a, "probe", "list", "kprobe:inet_list*");
	if (perf_has_kprobes())
		CHECK(!a.rc && LINES_WITH(a.out, "kprobe:inet_listen"), "%s%s", a.out, a.err);
	else
		sonde_expect_line(&a, 1, "no kprobes");
	SONDE_RUN(&a, "probe", "list", "no_such_function_exists");
	sonde_expect_line(&a, 1, "no function or tracepoint matches");
	SONDE_RUN(&a, "probe", "list");
	sonde_expect_line(&a, 2, "give one PATTERN");
	SONDE_RUN(&a, "probe", "list", "--help");
	CHECK(!a.rc && strstr(a.out, "Usage: sonde probe list") && !strstr(a.out, "--string"),
	      "%s%s", a.out, a.err);
	SONDE_RUN(&a, "probe", "list", "--json", own_probe("uprobe", "probed_here"));
	snprintf(word, sizeof(word),
		 "\"kind\":\"uprobe\",\"file\":\"%s\",\"name\":\"probed_here\"}",
		 (const char *)getauxval(AT_EXECFN));
	CHECK(!a.rc && LINES_WITH(a.out, word) == 1, "%s%s", a.out, a.err);
	expect_documented(a.out, "probe list");
}

static void no_caps(void)
{
	CHECK(!setgid(65534) && !setuid(65534), "setuid");
}

static void put_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len, "%s: %s", path, strerror(errno));
	close(fd);
}

/* The start of a program, without its tables. */
static void put_damaged(const char *path)
{
	static char bytes[1 << 13];
	int fd = open((const char *)getauxval(AT_EXECFN), O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0 && read(fd, bytes, sizeof(bytes)) == sizeof(bytes), "%s", strerror(errno));
	close(fd);
	put_file(path, bytes, sizeof(bytes));
}

/* Wrong arguments, files that are not programs, missing processes and privileges. */
SCENARIO(probe_errors, 60)
{
	const char *sonde = getenv("SONDE"), *file = file_path("program");
	char probe[WORDS];

	SONDE_RUN(&a, "probe");
	sonde_expect_line(&a, 2, "missing probe");
	SONDE_RUN(&a, "probe", "kprob:tcp_connect");
	sonde_expect_line(&a, 2, "did you mean kprobe?");
	SONDE_RUN(&a, "probe", "uprobe:nothing");
	sonde_expect_line(&a, 2, "uprobe:PATH:SYMBOL");
	SONDE_RUN(&a, "probe", "raw:x", "port", "80");
	sonde_expect_line(&a, 2, "processes only have pid");
	SONDE_RUN(&a, "probe", "-c", "3", "raw:x");
	sonde_expect_line(&a, 2, "-e");
	SONDE_RUN(&a, "probe", own_probe("uprobe", "probed_her"));
	sonde_expect_line(&a, 1, "did you mean probed_here?");
	SONDE_RUN(&a, "probe", own_probe("uprobe", "probed_here+0x10000000"));
	sonde_expect_line(&a, 1, "bytes");
	snprintf(probe, sizeof(probe), "uprobe:%s:main", sonde ? sonde : "build/sonde");
	SONDE_RUN(&a, "probe", probe);
	sonde_expect_line(&a, 1, "stripped");
	snprintf(probe, sizeof(probe), "uprobe:%s:main", file);
	SONDE_RUN(&a, "probe", probe);
	sonde_expect_line(&a, 1, "not found");
	put_damaged(file);
	SONDE_RUN(&a, "probe", probe);
	sonde_expect_line(&a, 1, "stripped");
	put_file(file, "#!/bin/sh\n", 10);
	SONDE_RUN(&a, "probe", probe);
	sonde_expect_line(&a, 1, "not a program");
	SONDE_RUN(&a, "probe", "-p", "4194305", "raw:inet_sock_set_state");
	sonde_expect_line(&a, 1, "4194305");
	sonde_start(&a, no_caps, (const char *const[]){ "sonde", "probe", "raw:sys_enter", NULL });
	sonde_wait(&a);
	CHECK(a.rc == 1 && lines_of(a.err) == 1, "%d: %s", a.rc, a.err);
}

/* Copies this program. */
static void copy_self(const char *path)
{
	static char chunk[1 << 16];
	int from = open((const char *)getauxval(AT_EXECFN), O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ssize_t n;

	CHECK(from >= 0 && to >= 0, "%s: %s", path, strerror(errno));
	while ((n = read(from, chunk, sizeof(chunk))) > 0)
		CHECK(write(to, chunk, (size_t)n) == n, "%s: %s", path, strerror(errno));
	close(from);
	close(to);
}

/* A replaced file is reported once. kill -9 leaves nothing behind. */
SCENARIO(probe_replaced, 60)
{
	char probe[WORDS], second[WORDS];
	const char *file = file_path("program");
	struct progs progs;

	copy_self(file);
	snprintf(second, sizeof(second), "%s.new", file);
	put_file(second, "new", 3);
	snprintf(probe, sizeof(probe), "uprobe:%s:probed_here", file);
	SONDE_START(&a, "probe", probe);
	sonde_poll(&a, 2000);
	need_uprobes(a.err);
	sonde_await_err(&a, "attached");
	CHECK(!rename(second, file), "%s", strerror(errno));
	sonde_await_err(&a, "was replaced");
	unlink(file);
	sonde_await_err(&a, "is gone");
	CHECK(!sonde_stop(&a, SIGINT) && LINES_WITH(a.err, "was replaced") == 1, "%s", a.err);
	SONDE_START(&a, "probe", own_probe("uprobe", "probed_here"));
	sonde_await_err(&a, "attached");
	progs = progs_of(a.pid);
	CHECK(sonde_stop(&a, SIGKILL) == 128 + SIGKILL, "not killed");
	expect_progs_gone(&progs);
}

static char own_name[16];

static void call_once(void)
{
	prctl(PR_SET_NAME, own_name);
	probed_here(1, "");
}

/* With more processes than the table can hold, lost hits are counted. */
SCENARIO(probe_full, 60)
{
	enum { ROOM = 16, PROCESSES = 40 };
	const char *in = own_probe("uprobe", "probed_here"), *beyond;

	/* other copies of this program may run on this host */
	snprintf(own_name, sizeof(own_name), "full%d", getpid());
	SONDE_START(&a, "probe", "--json", "--processes", "16", in, "comm", own_name);
	sonde_poll(&a, 2000);
	need_uprobes(a.err);
	sonde_await_err(&a, "attached");
	for (int i = 0; i < PROCESSES; i++) {
		struct worker w = worker_start(call_once);

		worker_run(&w);
	}
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	beyond = strstr(a.err, " hits were not counted, of too many processes");
	CHECK(beyond && count_hits(in) >= ROOM, "%s%s", a.out, a.err);
	while (beyond[-1] >= '0' && beyond[-1] <= '9')
		beyond--;
	CHECK(count_hits(in) + strtoull(beyond, NULL, 10) == PROCESSES, "%s%s", a.out, a.err);
}

static void call_many(void)
{
	for (long n = 0; n < MANY; n++)
		probed_here(n, "");
}

/* A closed standard output ends the probe; a stalled reader does not delay the end. */
SCENARIO(probe_readers, 60)
{
	const char *in = own_probe("uprobe", "probed_here");
	struct worker w = worker_start(call_many);
	siginfo_t ended = { 0 };

	SONDE_START(&a, "probe", "-e", in, "pid", w.text);
	sonde_poll(&a, 2000);
	need_uprobes(a.err);
	sonde_await_err(&a, "attached");
	close(a.fd[0]);
	a.fd[0] = -1;
	worker_run(&w);
	CHECK(sonde_wait(&a) == 1 && strstr(a.err, "standard output: the reader is gone"), "%d: %s",
	      a.rc, a.err);
	w = worker_start(call_many);
	SONDE_START(&a, "probe", "-e", in, "pid", w.text);
	sonde_await_err(&a, "attached");
	worker_run(&w);
	CHECK(!kill(a.pid, SIGINT), "%s", strerror(errno));
	AWAIT(!waitid(P_PID, (id_t)a.pid, &ended, WEXITED | WNOHANG | WNOWAIT) && ended.si_pid,
	      "the probe waits for its reader");
	/* The pipe may be full: more than a struct sonde holds. */
	close(a.fd[0]);
	a.fd[0] = -1;
	sonde_wait(&a);
}

/* Ends with the process, and shows each hit. */
SCENARIO(probe_ends, 60)
{
	struct worker w = worker_start(call_here);
	const char *in = own_probe("uprobe", "probed_here");

	trace_file();
	sonde_start(
		&a, trace_into_file,
		(const char *const[]){ "sonde", "probe", "-e", "--json", "-p", w.text, in, NULL });
	sonde_poll(&a, 2000);
	need_uprobes(a.err);
	sonde_await_err(&a, "attached");
	worker_run(&w);
	CHECK(!sonde_wait(&a), "%s", a.err);
	CHECK(strstr(a.err, "has ended"), "%s", a.err);
	CHECK(sonde_number(&a, "hits shown") == CALLS && !sonde_number(&a, "hits lost"), "%s",
	      a.err);
}

/* Hits, errors and latency form one valid document, by process name. */
SCENARIO(probe_metrics, 60)
{
	const char *in = own_probe("uprobe", "probed_here"),
		   *out = own_probe("uretprobe", "probed_here");
	const char *path = file_path("probe.prom");
	char sample[WORDS + 128], *text = NULL;
	struct worker w = worker_start(call_here);

	SONDE_START(&a, "probe", "-o", "prom", "-p", w.text, in, out);
	sonde_poll(&a, 2000);
	need_uprobes(a.err);
	sonde_await_err(&a, "attached");
	worker_run(&w);
	CHECK(!sonde_wait(&a), "%s", a.err);
	expect_prom(a.out);
	snprintf(sample, sizeof(sample), "sonde_probe_hits_total{probe=\"%s\",process=\"net\"}",
		 in);
	CHECK(prom_value(a.out, sample) == CALLS, "%s", a.out);
	snprintf(sample, sizeof(sample),
		 "sonde_probe_latency_seconds_bucket{probe=\"%s\",le=\"+Inf\"}", out);
	CHECK(prom_value(a.out, sample) == CALLS, "%s", a.out);
	snprintf(sample, sizeof(sample), "sonde_probe_latency_seconds_count{probe=\"%s\"}", out);
	CHECK(prom_value(a.out, sample) == CALLS, "%s", a.out);
	SONDE_RUN(&a, "probe", "-o", "prom", "-k", in);
	sonde_expect_line(&a, 2, "cannot be used with -e, -k or --returned");
	w = worker_start(call_here);
	SONDE_START(&a, "probe", "--textfile", path, "-I", "100ms", "-p", w.text, in);
	sonde_await_err(&a, "attached");
	worker_signal(&w);
	snprintf(sample, sizeof(sample), "sonde_probe_hits_total{probe=\"%s\",process=\"net\"}",
		 in);
	for (int i = 0; i < 100 && !(text && prom_value(text, sample) == CALLS); i++) {
		free(text);
		nap_ms(50 * test_slow());
		text = access(path, F_OK) ? NULL : trace_read_file(path);
		CHECK(!text || !prom_mistake(text), "%s: %s", prom_mistake(text), text);
	}
	CHECK(text && prom_value(text, sample) == CALLS, "%s%s", text ? text : "no file", a.err);
	free(text);
	worker_wait(&w);
	CHECK(!sonde_wait(&a) && !*a.out, "%s%s", a.out, a.err);
}
