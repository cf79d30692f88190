/* SPDX-License-Identifier: MIT */
/* Scenarios of sonde trace: connections, their failures, and the processes they belong to. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/array.h"
#include "tests/net/trace.h"
#include "sys/mnt.h"
#include "tests/lib/require.h"
#include "tests/net/file.h"
#include "tests/net/net.h"

enum { PORT = 7777, OTHER = 7778, SLOW = 7780, WORD = 100 };

static struct sonde a;

/* Accepts n connections one after the other and reads each to its end. */
static pid_t start_server(const struct lab *lab, int listener, unsigned int n)
{
	pid_t pid = fork();
	char word[WORD];

	if (pid)
		return pid;
	lab_enter(lab, LAB_FAR);
	while (n--) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			_exit(1);
		while (read(fd, word, sizeof(word)) > 0)
			continue;
		close(fd);
	}
	_exit(0);
}

/* Makes and closes n connections as fast as possible. */
static pid_t start_client(int family, unsigned int n)
{
	struct sockaddr_storage ss;
	socklen_t len = far_address(&ss, family, PORT);
	pid_t pid = fork();
	char word[WORD] = "";

	if (pid)
		return pid;
	while (n--) {
		int fd = socket(family, SOCK_STREAM, 0);

		if (connect(fd, (struct sockaddr *)&ss, len) ||
		    write(fd, word, sizeof(word)) != sizeof(word))
			_exit(1);
		close(fd);
	}
	_exit(0);
}

static void expect_child(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status),
	      "a child failed");
}

/* Each end of n connections: the bytes, and which end closed first. */
static void expect_ends(const char *text, const char *client, const char *server, unsigned int n)
{
	CHECK(json_sum(text, "sent_bytes",
		       (const char *const[]){ "\"record\":\"close\"", client, NULL }) == n * WORD,
	      "wrong bytes sent");
	CHECK(json_sum(text, "received_bytes",
		       (const char *const[]){ "\"record\":\"close\"", server, NULL }) == n * WORD,
	      "wrong bytes received");
	CHECK(!json_sum(text, "sent_bytes",
			(const char *const[]){ "\"record\":\"close\"", server, NULL }),
	      "bytes sent by the server");
	CHECK(LINES_WITH(text, "\"record\":\"close\"", client, "\"how\":\"local\"") == n,
	      "wrong end closed first");
	CHECK(LINES_WITH(text, "\"record\":\"close\"", server, "\"how\":\"remote\"") == n,
	      "wrong end closed first");
	CHECK(JSON_SUM(text, "connections", "\"record\":\"trace_summary\"") == 2 * n,
	      "wrong summary");
}

/* Waits until n ends of connections have closed. On a busy host a last segment may be lost: then a
 * connection closes seconds later. */
static void await_closed(unsigned int n)
{
	char *text = NULL;

	for (int i = 0; i < 10 && !(text && LINES_WITH(text, "\"record\":\"close\"") >= n); i++) {
		free(text);
		trace_await_silence(trace_file());
		text = trace_read_file(trace_file());
	}
	free(text);
}

/* Every short connection is reported once at each end, with its process, or counted as lost. */
static void every_connection(int family)
{
	unsigned int n = 10000 / test_slow(), connected, accepted, closed, lost;
	const char *client, *server;
	char *text;
	struct lab lab = { 0 };
	int listener;
	pid_t s, c;

	require_memory();
	lab_ready(&lab);
	if (family == AF_INET6 && !lab.ipv6)
		SKIP("this kernel has no IPv6");
	listener = far_listener(&lab, family, PORT, 4096);
	set_sysctl("net/ipv4/ip_local_port_range", "1024 65000");
	trace_file();
	sonde_start(&a, trace_into_file,
		    (const char *const[]){ "sonde", "trace", "--json", "-B", "16384",
					   "port 7777 and", trace_lab_filter(&lab), NULL });
	sonde_await_err(&a, "tracing");
	s = start_server(&lab, listener, n);
	c = start_client(family, n);
	expect_child(c);
	expect_child(s);
	await_closed(2 * n);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	lost = (unsigned int)sonde_number(&a, "events lost");
	text = trace_read_file(trace_file());
	client = trace_pid_word(c);
	server = trace_pid_word(s);
	connected = LINES_WITH(text, "\"record\":\"connect\"", client, "\"result\":\"ok\"");
	accepted = LINES_WITH(text, "\"record\":\"accept\"", server, "\"result\":\"ok\"");
	closed = LINES_WITH(text, "\"record\":\"close\"", client) +
		 LINES_WITH(text, "\"record\":\"close\"", server);
	/* Without its start, a connection's end is unknown, too. Skipped runs of the programs count
	 * as lost, including those for other processes. */
	CHECK(connected + accepted + closed + 2 * lost >= 4 * n && connected <= n &&
		      accepted <= n && closed <= 2 * n,
	      "%u connected, %u accepted, %u closed, %u lost of %u; in total %u, %u, %u\n%s",
	      connected, accepted, closed, lost, n, LINES_WITH(text, "\"record\":\"connect\""),
	      LINES_WITH(text, "\"record\":\"accept\""), LINES_WITH(text, "\"record\":\"close\""),
	      a.err);
	CHECK(lost < 4 * n / 10, "%u lost", lost);
	CHECK(!LINES_WITH(text, "\"result\":\"failed\""), "false failures");
	if (connected == n && accepted == n && closed == 2 * n)
		expect_ends(text, client, server, n);
	free(text);
}

SCENARIO(trace_every_connection, 60)
{
	every_connection(AF_INET);
}

SCENARIO(trace_every_connection_ipv6, 60)
{
	every_connection(AF_INET6);
}

/* Connects from the near side. Returns the socket, or -errno. */
static int connect_far(int family, const char *addr, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = far_address(&ss, family, port);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (addr && family == AF_INET)
		inet_pton(family, addr, &((struct sockaddr_in *)&ss)->sin_addr);
	else if (addr)
		inet_pton(family, addr, &((struct sockaddr_in6 *)&ss)->sin6_addr);
	if (!connect(fd, (struct sockaddr *)&ss, len))
		return fd;
	close(fd);
	return -errno;
}

static void reset_by_peer(const struct lab *lab, int listener, int family)
{
	struct linger now = { .l_onoff = 1 };
	int fd = connect_far(family, NULL, PORT), far;
	char word;

	CHECK(fd > 0, "cannot connect");
	lab_enter(lab, LAB_FAR);
	far = accept(listener, NULL, NULL);
	setsockopt(far, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(far);
	lab_enter(lab, LAB_NEAR);
	CHECK(read(fd, &word, 1) < 0 && errno == ECONNRESET, "not reset");
	close(fd);
}

/* A program that gives up early: its SYNs are dropped. */
static void give_up(const struct lab *lab, int family)
{
	static struct sonde b;
	struct sockaddr_storage ss;
	socklen_t len = far_address(&ss, family, SLOW);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	lab_enter(lab, LAB_FAR);
	CHECK(!SONDE_RUN(&b, "filter", "add", "-i", "sonde1", "--no-ssh", "drop", "port 7780"),
	      "%s", b.err);
	lab_enter(lab, LAB_NEAR);
	CHECK(connect(fd, (struct sockaddr *)&ss, len) && errno == EINPROGRESS, "connect");
	nap_ms(20);
	close(fd);
	lab_enter(lab, LAB_FAR);
	CHECK(!SONDE_RUN(&b, "filter", "clear", "-i", "sonde1"), "%s", b.err);
	lab_enter(lab, LAB_NEAR);
}

/* Failures have the errors that the programs get. */
static void expect_failures(int family)
{
	const char *nowhere = family == AF_INET ? "198.51.100.9" : "2001:db8:ffff::9";
	struct lab lab = { 0 };
	int listener, fd;

	require_memory();
	lab_ready(&lab);
	if (family == AF_INET6 && !lab.ipv6)
		SKIP("this kernel has no IPv6");
	listener = far_listener(&lab, family, PORT, 16);
	set_sysctl("net/ipv4/tcp_syn_retries", "1");
	SONDE_START(&a, "trace", "failures", "--json", trace_lab_filter(&lab));
	sonde_await_err(&a, "tracing");
	CHECK(connect_far(family, NULL, OTHER) == -ECONNREFUSED, "not refused");
	CHECK(connect_far(family, nowhere, PORT) == -ENETUNREACH, "not unreachable");
	give_up(&lab, family);
	reset_by_peer(&lab, listener, family);
	fd = connect_far(family, NULL, PORT);
	CHECK(fd > 0, "cannot connect");
	close(fd);
	sonde_await_out(&a, "ECONNRESET");
	nap_ms(50 * test_slow());
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(LINES_WITH(a.out, "\"record\":\"connect\"", "ECONNREFUSED", "\"remote_port\":7778") ==
		      1,
	      "%s", a.out);
	CHECK(LINES_WITH(a.out, "\"record\":\"connect\"", "ENETUNREACH", nowhere) == 1, "%s",
	      a.out);
	CHECK(LINES_WITH(a.out, "\"record\":\"close\"", "ECONNRESET", "\"how\":\"error\"") == 1,
	      "%s", a.out);
	CHECK(LINES_WITH(a.out, "\"record\":\"connect\"", "ECANCELED", "\"remote_port\":7780") == 1,
	      "%s", a.out);
	CHECK(lines_of(a.out) == 4 + LINES_WITH(a.out, "\"record\":\"trace_summary\""),
	      "unexpected records: %s", a.out);
}

SCENARIO(trace_failures, 60)
{
	expect_failures(AF_INET);
}

SCENARIO(trace_failures_ipv6, 60)
{
	expect_failures(AF_INET6);
}

/* Unanswered SYNs, their retransmits, and a loss within a connection. */
SCENARIO(trace_losses, 60)
{
	struct tcp_info_ {
		char bytes[256];
	} info;
	socklen_t len = sizeof(info);
	struct lab lab = { 0 };
	unsigned int resent, syns, failed, lost;
	static struct sonde b;
	int listener, fd, far;
	uint32_t total;
	char word[WORD] = "";

	require_types();
	lab_ready(&lab);
	set_sysctl("net/ipv4/tcp_syn_retries", "1");
	listener = far_listener(&lab, AF_INET, PORT, 16);
	SONDE_START(&a, "trace", "--json", "connect", "retransmit", "close",
		    trace_lab_filter(&lab));
	sonde_await_err(&a, "tracing");
	fd = connect_far(AF_INET, NULL, PORT);
	lab_enter(&lab, LAB_FAR);
	far = accept(listener, NULL, NULL);
	CHECK(far > 0, "accept");
	CHECK(!SONDE_RUN(&b, "filter", "add", "-i", "sonde1", "--no-ssh", "drop", "tcp"), "%s",
	      b.err);
	lab_enter(&lab, LAB_NEAR);
	CHECK(write(fd, word, sizeof(word)) == sizeof(word), "write");
	CHECK(connect_far(AF_INET, NULL, PORT) == -ETIMEDOUT, "not timed out");
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&b, "filter", "clear", "-i", "sonde1"), "%s", b.err);
	CHECK(read(far, word, sizeof(word)) == sizeof(word), "nothing arrived");
	lab_enter(&lab, LAB_NEAR);
	/* tcpi_total_retrans of struct tcp_info (linux/tcp.h) */
	CHECK(!getsockopt(fd, IPPROTO_TCP, 11, &info, &len), "TCP_INFO");
	memcpy(&total, info.bytes + 100, sizeof(total));
	close(fd);
	close(far);
	AWAIT(LINES_WITH(trace_out(&a), "\"record\":\"close\"", "\"local_port\":7777"),
	      "not closed: %s", a.out);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	/* on a busy host the kernel sometimes skips a run of a program, and counts it */
	lost = (unsigned int)sonde_number(&a, "events lost");
	failed = LINES_WITH(a.out, "\"record\":\"connect\"", "ETIMEDOUT");
	CHECK(failed <= 1 && failed + lost >= 1, "%u lost: %s", lost, a.out);
	expect_documented(a.out, "trace");
	syns = LINES_WITH(a.out, "\"record\":\"retransmit\"", "\"reason\":\"syn\"");
	resent = LINES_WITH(a.out, "\"record\":\"retransmit\"", "\"state\":\"ESTABLISHED\"");
	CHECK(syns + lost >= 1, "%u SYNs retransmitted: %s", syns, a.out);
	CHECK(resent <= total && resent + lost >= total, "%u segments retransmitted of %u; %u lost",
	      resent, total, lost);
	CHECK(LINES_WITH(a.out, "\"record\":\"retransmit\"", "timeout", "\"segment_bytes\":100") +
			      lost >=
		      1,
	      "%s", a.out);
	CHECK(LINES_WITH(a.out, "\"reason\":\"loss probe\"") <= 1, "%s", a.out);
	CHECK(JSON_SUM(a.out, "retransmits", "\"record\":\"close\"", "\"direction\":\"out\"") ==
		      total,
	      "%s", a.out);
}

/* Existing connections are listed with their process, and marked when they close. */
SCENARIO(trace_existing, 60)
{
	struct lab lab = { 0 };
	const char *pid = trace_pid_word(getpid());
	int listener, fd, far;

	require_memory();
	lab_ready(&lab);
	listener = far_listener(&lab, AF_INET, PORT, 16);
	fd = connect_far(AF_INET, NULL, PORT);
	far = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	CHECK(fd > 0 && far > 0, "cannot connect");
	SONDE_START(&a, "trace", "--json", "-p", trace_own_pid(), "port", "7777");
	sonde_await_err(&a, "tracing");
	/* they are listed before the note */
	sonde_poll(&a, 0);
	CHECK(lines_of(a.out) >= 2, "not listed: %s", a.out);
	close(fd);
	AWAIT(LINES_WITH(trace_out(&a), "\"record\":\"close\"") >= 1, "not closed: %s", a.out);
	close(far);
	nap_ms(100 * test_slow());
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(LINES_WITH(a.out, "\"record\":\"open\"", pid, "\"state\":\"ESTABLISHED\"") == 2, "%s",
	      a.out);
	CHECK(LINES_WITH(a.out, "\"record\":\"close\"", pid, "\"existed\":true") == 2, "%s", a.out);
}

/* A process that already waits in accept(2) when the tracing starts gets its connection, too. */
SCENARIO(trace_waiting, 60)
{
	struct lab lab = { 0 };
	int listener, fd, status;
	const char *server;
	pid_t s;

	require_memory();
	lab_ready(&lab);
	listener = far_listener(&lab, AF_INET, PORT, 16);
	s = start_server(&lab, listener, 1);
	nap_ms(100 * test_slow());
	SONDE_START(&a, "trace", "--json", "port 7777 and", trace_lab_filter(&lab));
	sonde_await_err(&a, "tracing");
	fd = connect_far(AF_INET, NULL, PORT);
	CHECK(fd > 0, "cannot connect");
	close(fd);
	CHECK(waitpid(s, &status, 0) == s, "waitpid");
	server = trace_pid_word(s);
	AWAIT(LINES_WITH(trace_out(&a), "\"record\":\"close\"") == 2, "not closed: %s", a.out);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(LINES_WITH(a.out, "\"record\":\"accept\"", server) == 1, "%s", a.out);
	CHECK(LINES_WITH(a.out, "\"record\":\"close\"", server) == 1, "%s", a.out);
}

/* The kernel applies filters on endpoints and owners. */
SCENARIO(trace_filters, 60)
{
	static const char *const good[] = { "port 7777", "dst port 7777 and host 192.0.2.2",
					    "tcp and not port 7778", "iface sonde0 and port 7777",
					    "outbound and port 7777" };
	struct lab lab = { 0 };
	int listener, second;
	char mine[64];

	require_types();
	lab_ready(&lab);
	listener = far_listener(&lab, AF_INET, PORT, 16);
	second = far_listener(&lab, AF_INET, OTHER, 16);
	CHECK(listener > 0 && second > 0, "listen");
	snprintf(mine, sizeof(mine), "pid %d and port 7777", getpid());
	for (size_t i = 0; i <= ARRAY_LEN(good); i++) {
		const char *text = i < ARRAY_LEN(good) ? good[i] : mine;
		int fd, other;

		SONDE_START(&a, "trace", "--json", "--only-new", "-N", trace_own_pid(), "connect",
			    text, "-c", "1");
		sonde_await_err(&a, "tracing");
		other = connect_far(AF_INET, NULL, OTHER);
		fd = connect_far(AF_INET, NULL, PORT);
		CHECK(fd > 0 && other > 0, "connect");
		close(fd);
		close(other);
		CHECK(!sonde_wait(&a), "%s: %s", text, a.err);
		CHECK(LINES_WITH(a.out, "\"record\":\"connect\"") == 1 &&
			      strstr(a.out, "\"remote_port\":7777"),
		      "%s: %s", text, a.out);
	}
	SONDE_RUN(&a, "trace", "tcp[13] & 2 != 0");
	sonde_expect_line(&a, 2, "uses packet headers");
	SONDE_RUN(&a, "trace", "conect");
	CHECK(a.rc == 2 && strstr(a.err, "connect"), "%s", a.err);
	SONDE_RUN(&a, "trace", "vlan 3");
	sonde_expect_line(&a, 2, "uses packet headers");
}

static void no_caps(void)
{
	CHECK(!setgid(65534) && !setuid(65534), "setuid");
}

/* No privileges; a closed standard output; kill -9. */
SCENARIO(trace_errors, 60)
{
	struct lab lab = { 0 };
	struct progs progs;
	int listener, fd;

	sonde_start(&a, no_caps, (const char *const[]){ "sonde", "trace", NULL });
	sonde_wait(&a);
	CHECK(a.rc == 1 && lines_of(a.err) == 1, "%d: %s", a.rc, a.err);
	SONDE_RUN(&a, "trace", "-B", "100");
	sonde_expect_line(&a, 2, "power of two");
	SONDE_RUN(&a, "trace", "-p", "4194305"); /* more than the kernel's highest process id */
	sonde_expect_line(&a, 1, "no process 4194305");
	require_types();
	lab_ready(&lab);
	listener = far_listener(&lab, AF_INET, PORT, 16);
	CHECK(listener > 0, "listen");
	SONDE_START(&a, "trace", "connect", "-p", trace_own_pid());
	sonde_await_err(&a, "tracing");
	close(a.fd[0]);
	a.fd[0] = -1;
	fd = connect_far(AF_INET, NULL, PORT);
	CHECK(fd > 0, "connect");
	CHECK(sonde_wait(&a) == 1 && strstr(a.err, "reader is gone"), "%d %s", a.rc, a.err);
	SONDE_START(&a, "trace", "--json", "-p", trace_own_pid());
	sonde_await_err(&a, "tracing");
	progs = progs_of(a.pid);
	CHECK(sonde_stop(&a, SIGKILL) == 128 + SIGKILL, "not killed");
	expect_progs_gone(&progs);
}

/* Connects again and again, and is refused. */
static pid_t start_refused(void)
{
	pid_t pid = fork();

	while (!pid)
		connect_far(AF_INET, NULL, OTHER);
	return pid;
}

static int stalled[2];

static void write_to_stalled(void)
{
	dup2(stalled[1], STDOUT_FILENO);
}

/* A trace ends in time while events continue, and while nobody reads its output. */
SCENARIO(trace_ends, 60)
{
	struct lab lab = { 0 };
	int waiting = 0;
	char pid[16];
	pid_t lab_flood;

	require_types();
	lab_ready(&lab);
	trace_file();
	lab_flood = start_refused();
	snprintf(pid, sizeof(pid), "%d", lab_flood);
	sonde_start(&a, trace_into_file,
		    (const char *const[]){ "sonde", "trace", "-d", "1s", "-p", pid, NULL });
	CHECK(!sonde_wait(&a) && sonde_number(&a, "events traced"), "%d: %s", a.rc, a.err);
	sonde_start(&a, trace_into_file,
		    (const char *const[]){ "sonde", "trace", "-p", pid, NULL });
	sonde_await_err(&a, "tracing");
	CHECK(!sonde_stop(&a, SIGINT), "%d: %s", a.rc, a.err);
	CHECK(!pipe2(stalled, O_CLOEXEC), "pipe: %s", strerror(errno));
	fcntl(stalled[1], F_SETPIPE_SZ, 4096);
	sonde_start(&a, write_to_stalled,
		    (const char *const[]){ "sonde", "trace", "-p", pid, NULL });
	AWAIT(!ioctl(stalled[0], FIONREAD, &waiting) && waiting, "%d bytes", waiting);
	CHECK(sonde_stop(&a, SIGINT) == 1 && strstr(a.err, "stopped reading"), "%d: %s", a.rc,
	      a.err);
	kill(lab_flood, SIGKILL);
}

/* Events of a process in a cgroup of a container have the container's id. */
SCENARIO(trace_container, 60)
{
	int root = mnt_create_detached("cgroup2"), procs;
	char id[16], dir[96], path[128], word[64];
	struct lab lab = { 0 };
	pid_t child;

	require_memory();
	if (root < 0)
		SKIP("cgroup2 is unavailable: %s", strerror(-root));
	/* an id of 64 digits that no other test uses */
	snprintf(id, sizeof(id), "5dd%09x", getpid());
	snprintf(dir, sizeof(dir), "docker-%s%052d.scope", id, 0);
	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	snprintf(word, sizeof(word), "\"container\":\"%s\"", id);
	unlinkat(root, dir, AT_REMOVEDIR);
	if (mkdirat(root, dir, 0755) < 0)
		SKIP("cannot create cgroups: %s", strerror(errno));
	procs = openat(root, path, O_WRONLY | O_CLOEXEC);
	lab_ready(&lab);
	SONDE_START(&a, "trace", "--json", "-c", "1", "connect", "container", id);
	sonde_await_err(&a, "tracing");
	connect_far(AF_INET, NULL, OTHER); /* outside */
	child = fork();
	if (!child) {
		CHECK(write(procs, "0", 1) == 1, "cgroup.procs: %s", strerror(errno));
		connect_far(AF_INET, NULL, OTHER);
		_exit(0);
	}
	expect_child(child);
	sonde_wait(&a);
	unlinkat(root, dir, AT_REMOVEDIR);
	CHECK(!a.rc && LINES_WITH(a.out, "\"record\":\"connect\"", word) == 1, "%d: %s%s", a.rc,
	      a.out, a.err);
}
