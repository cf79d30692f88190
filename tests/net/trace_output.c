/* SPDX-License-Identifier: MIT */
/* Scenarios of sonde trace: which events its options select, and its output formats. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/array.h"
#include "tests/lib/require.h"
#include "tests/net/file.h"
#include "tests/net/net.h"
#include "tests/net/prom.h"
#include "tests/net/trace.h"

enum { PORT = 7777, LOCAL = 7778, CLOSED = 7779, CONNECTIONS = 12, REFUSED = 5 };

static struct sonde a;

/* A connection from the near side, closed at once, or the error. */
static int connect_to(const char *addr, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	inet_pton(AF_INET, addr, &to.sin_addr);
	rc = connect(fd, (struct sockaddr *)&to, sizeof(to)) ? -errno : 0;
	close(fd);
	return rc;
}

static int listen_near(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(!bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 16), "listen: %s",
	      strerror(errno));
	return fd;
}

/* One connection on each interface, and one of another process. */
static void make_connections(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(connect_to("192.0.2.2", PORT) != 0);
	CHECK(waitpid(pid, &status, 0) == pid && !status, "a child cannot connect");
	CHECK(!connect_to("127.0.0.1", LOCAL), "cannot connect on lo");
	CHECK(!connect_to("192.0.2.2", PORT), "cannot connect on sonde0");
}

/* Each option, alone and combined: which of three connections it selects. */
SCENARIO(trace_options, 60)
{
	static const struct {
		const char *options[6];
		unsigned int through_lo, through_pair;
	} cases[] = {
		{ { "-i", "lo" }, 1, 0 },
		{ { "-i", "sonde0" }, 0, 2 },
		{ { "-i", "lo", "-i", "sonde0" }, 1, 2 },
		{ { "-i", "sonde0", "-p", "PID" }, 0, 1 },
		{ { "-N", "PID", "-p", "PID" }, 1, 1 },
		{ { "-N", "PID", "-i", "sonde0" }, 0, 2 },
	};
	struct lab lab = { 0 };
	int far;

	require_types();
	lab_ready(&lab);
	CHECK(!link_up(&lab.end[LAB_NEAR].nl, 1), "cannot bring lo up");
	far = far_listener(&lab, AF_INET, PORT, 64);
	CHECK(far > 0 && listen_near(LOCAL) > 0, "listen");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *argv[16] = { "sonde", "trace", "--json", "--only-new", "connect" };
		unsigned int n = 5, pair = 0, lo = 0;

		for (int k = 0; k < 6 && cases[i].options[k]; k++)
			argv[n++] = strcmp(cases[i].options[k], "PID") ? cases[i].options[k]
								       : trace_own_pid();
		/* the filter's "or" is in parentheses: connections of other processes are
		 * excluded */
		argv[n++] = "port 7777 or port 7778";
		sonde_start(&a, NULL, argv);
		sonde_await_err(&a, "tracing");
		make_connections();
		AWAIT((pair = LINES_WITH(trace_out(&a), "\"remote_port\":7777,"),
		       lo = LINES_WITH(a.out, "\"remote_port\":7778,"),
		       pair == cases[i].through_pair && lo == cases[i].through_lo),
		      "case %zu: %u and %u: %s", i, pair, lo, a.out);
		CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
		CHECK(LINES_WITH(a.out, "\"record\":\"connect\"") ==
			      cases[i].through_pair + cases[i].through_lo,
		      "case %zu: %s", i, a.out);
	}
}

/* The other namespace, by a process in it; each connection exists in both. */
SCENARIO(trace_netns, 60)
{
	struct lab lab = { 0 };
	char far_pid[16];
	int listener, fd;
	pid_t far;

	require_types();
	lab_ready(&lab);
	listener = far_listener(&lab, AF_INET, PORT, 16);
	lab_enter(&lab, LAB_FAR);
	far = fork();
	if (!far)
		for (;;)
			pause();
	lab_enter(&lab, LAB_NEAR);
	snprintf(far_pid, sizeof(far_pid), "%d", far);
	/* sonde1 is an interface of that namespace only */
	SONDE_START(&a, "trace", "--json", "--only-new", "-N", far_pid, "-i", "sonde1", "accept",
		    "connect", "close");
	sonde_await_err(&a, "tracing");
	CHECK(!connect_to("192.0.2.2", PORT), "connect");
	fd = accept(listener, NULL, NULL);
	CHECK(fd > 0, "accept");
	close(fd);
	sonde_await_out(&a, "\"record\":\"close\"");
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	kill(far, SIGKILL);
	CHECK(!LINES_WITH(a.out, "\"record\":\"connect\"") &&
		      LINES_WITH(a.out, "\"record\":\"accept\"") == 1 &&
		      LINES_WITH(a.out, "\"record\":\"close\"", "\"direction\":\"in\"") == 1,
	      "%s", a.out);
	SONDE_RUN(&a, "trace", "-i", "sonde1");
	sonde_expect_line(&a, 1, "no interface sonde1");
}

/* Mistakes are shown in the text as typed, whatever the options add to it. */
SCENARIO(trace_mistakes, 60)
{
	SONDE_RUN(&a, "trace", "-p", "1", "-N", trace_own_pid(), "connect", "tcp and", "prt 80");
	CHECK(a.rc == 2 && strstr(a.err, "\n  tcp and prt 80\n          ^\n"), "%d: %s", a.rc,
	      a.err);
	SONDE_RUN(&a, "trace", "-p", "1", "port 80) or (port 90");
	CHECK(a.rc == 2 && strstr(a.err, "\n  port 80) or (port 90\n         ^\n"), "%d: %s", a.rc,
	      a.err);
	SONDE_RUN(&a, "trace", "-i", "nosuch0");
	sonde_expect_line(&a, 1, "no interface nosuch0");
	SONDE_RUN(&a, "trace", "-N", "/nosuch");
	sonde_expect_line(&a, 1, "network namespace /nosuch");
	SONDE_RUN(&a, "trace", "-p", "0");
	CHECK(a.rc == 2, "%d: %s", a.rc, a.err);
	SONDE_RUN(&a, "trace", "-i", "lo", "tls");
	sonde_expect_line(&a, 2, "have no interface");
	SONDE_RUN(&a, "trace", "-I", "5s");
	sonde_expect_line(&a, 2, "-I needs --textfile");
	SONDE_RUN(&a, "trace", "--textfile", "/nowhere/at.prom");
	CHECK(a.rc == 1, "%d: %s", a.rc, a.err);
}

/* Makes accepted and refused connections, for the counters of metrics. */
static void make_counted(int listener)
{
	for (int i = 0; i < CONNECTIONS; i++) {
		CHECK(!connect_to("192.0.2.2", PORT), "connect");
		close(accept(listener, NULL, NULL));
	}
	for (int i = 0; i < REFUSED; i++)
		CHECK(connect_to("192.0.2.2", CLOSED) == -ECONNREFUSED, "not refused");
}

static bool has_counts(const char *text)
{
	return prom_value(text, "sonde_trace_connections_total{direction=\"out\",port=\"7777\"}") ==
		       CONNECTIONS &&
	       prom_value(text, "sonde_trace_connections_total{direction=\"in\",port=\"7777\"}") ==
		       CONNECTIONS &&
	       prom_value(text, "sonde_trace_connections_closed_total{direction=\"out\","
				"port=\"7777\"}") == CONNECTIONS &&
	       prom_value(text, "sonde_trace_connection_failures_total{direction=\"out\","
				"port=\"7779\"}") == REFUSED &&
	       prom_value(text, "sonde_trace_events_lost_total") >= 0;
}

/* One valid document at the end; kinds without events have 0. */
SCENARIO(trace_metrics, 60)
{
	struct lab lab = { 0 };
	int listener;

	require_memory();
	lab_ready(&lab);
	listener = far_listener(&lab, AF_INET, PORT, 16);
	SONDE_START(&a, "trace", "-o", "prom", "--only-new", "connect", "accept", "close", "drop",
		    "reset", "state", "tcp and", trace_lab_filter(&lab));
	sonde_await_err(&a, "tracing");
	make_counted(listener);
	nap_ms(300 * test_slow());
	CHECK(!*trace_out(&a), "output before the end: %s", a.out);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	expect_prom(a.out);
	CHECK(has_counts(a.out), "%s", a.out);
	CHECK(prom_value(a.out, "sonde_trace_events_total{event=\"connect\"}") ==
		      CONNECTIONS + REFUSED,
	      "%s", a.out);
	CHECK(prom_value(a.out, "sonde_trace_events_total{event=\"reset\"}") >= REFUSED, "%s",
	      a.out);
	/* before 5.17 without a reason */
	CHECK(prom_value(a.out, "sonde_trace_drops_total{reason=\"NO_SOCKET\"}") == REFUSED ||
		      strstr(a.out, "sonde_trace_drops_total{reason=\"unknown\"}"),
	      "%s", a.out);
	SONDE_RUN(&a, "trace", "-o", "prom", "-d", "10ms", "dns", "-p", trace_own_pid());
	CHECK(!a.rc && !prom_mistake(a.out) &&
		      !prom_value(a.out, "sonde_trace_events_total{event=\"dns\"}") &&
		      !strstr(a.out, "connections"),
	      "%s%s", a.out, a.err);
}

/* A complete file at each interval, even if nobody reads standard output. */
SCENARIO(trace_textfile, 60)
{
	const char *path = file_path("trace.prom");
	struct lab lab = { 0 };
	char *text = NULL;
	int listener;

	require_memory();
	lab_ready(&lab);
	listener = far_listener(&lab, AF_INET, PORT, 16);
	SONDE_START(&a, "trace", "--textfile", path, "-I", "100ms", "--only-new", "connect",
		    "accept", "close", "tcp and", trace_lab_filter(&lab));
	sonde_await_err(&a, "tracing");
	close(a.fd[0]);
	a.fd[0] = -1;
	make_counted(listener);
	for (int i = 0; i < 100 && !(text && has_counts(text)); i++) {
		free(text);
		nap_ms(50 * test_slow());
		text = access(path, F_OK) ? NULL : trace_read_file(path);
		CHECK(!text || !prom_mistake(text), "%s: %s", prom_mistake(text), text);
	}
	CHECK(text && has_counts(text), "%s%s", text ? text : "no file", a.err);
	free(text);
	CHECK(!sonde_stop(&a, SIGINT), "%d: %s", a.rc, a.err);
	text = trace_read_file(path);
	CHECK(has_counts(text), "%s", text);
	free(text);
}

/* Records have the fields that the help lists: unknown values are null, lists are arrays. */
SCENARIO(trace_json, 60)
{
	struct lab lab = { 0 };
	int listener;

	require_memory();
	lab_ready(&lab);
	listener = far_listener(&lab, AF_INET, PORT, 16);
	SONDE_START(&a, "trace", "--json", "-k", "connect", "accept", "close", "state", "reset",
		    "drop", "bind", "tcp and", trace_lab_filter(&lab));
	sonde_await_err(&a, "tracing");
	CHECK(!connect_to("192.0.2.2", PORT), "connect");
	close(accept(listener, NULL, NULL));
	CHECK(connect_to("192.0.2.2", CLOSED) == -ECONNREFUSED, "not refused");
	listen_near(LOCAL);
	AWAIT(LINES_WITH(trace_out(&a), "\"record\":\"close\"") == 2 &&
		      LINES_WITH(a.out, "\"record\":\"drop\"") &&
		      LINES_WITH(a.out, "\"record\":\"bind\""),
	      "%s", a.out);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	expect_documented(a.out, "trace");
	CHECK(LINES_WITH(a.out, "\"record\":\"connect\"", "\"time\":\"20", "\"result\":\"ok\"",
			 "\"error\":null", "\"interface\":\"sonde0\"",
			 "\"latency_seconds\":0.0") == 1,
	      "%s", a.out);
	/* a failed bind(2) or a dropped packet lacks these endpoints */
	CHECK(LINES_WITH(a.out, "\"record\":\"drop\"", "\"pid\":null", "\"process\":null",
			 "\"stack\":[\"") >= 1,
	      "%s", a.out);
	CHECK(LINES_WITH(a.out, "\"record\":\"bind\"", "\"local\":\"0.0.0.0\",\"local_port\":7778",
			 "\"protocol\":\"tcp\",\"protocol_number\":6") == 1,
	      "%s", a.out);
	CHECK(LINES_WITH(a.out, "\"record\":\"trace_summary\"", "\"destination\":\"192.0.2.2\"",
			 "\"destination_port\":7779,", "\"latency_p50_seconds\":null") == 1,
	      "%s", a.out);
	SONDE_RUN(&a, "trace", "--json", "-q", "-d", "10ms", "-p", trace_own_pid());
	CHECK(!a.rc && !*a.out && !*a.err, "%s%s", a.out, a.err);
}
