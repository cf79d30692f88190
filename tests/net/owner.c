/* SPDX-License-Identifier: MIT */
/* Scenarios of packets' processes: of sockets old and new, sent and received, shown and filtered.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lab/address.h"
#include "tests/net/net.h"

enum { PORT = 7001 };

static struct sonde a;

/* This process has a name of its own for the while. */
static const char *const name = "own\\er \xc3\xa9";

static int receiver(const struct lab *lab)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd;

	lab_enter(lab, LAB_FAR);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0 && !bind(fd, (void *)&to, sizeof(to)), "binding: %s", strerror(errno));
	lab_enter(lab, LAB_NEAR);
	return fd;
}

static int sender(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, lab_address(LAB_FAR, AF_INET), &to.sin_addr);
	CHECK(fd >= 0 && !connect(fd, (void *)&to, sizeof(to)), "connecting: %s", strerror(errno));
	return fd;
}

static void expect_owner(const char *dir)
{
	char want[128];

	snprintf(want, sizeof(want), "%s [own\\er M-CM-)/", dir);
	CHECK(strstr(a.out, want), "no '%s' in: %s", want, a.out);
	snprintf(want, sizeof(want), "/%d] ", (int)getpid());
	CHECK(strstr(a.out, want), "no '%s' in: %s", want, a.out);
}

/* Both ends belong to this process, so that its number is on both sides' lines. */
static void shown(bool sockets_first)
{
	struct lab lab = { 0 };
	int from = 0, to = 0;

	lab_ready(&lab);
	prctl(PR_SET_NAME, name);
	if (sockets_first) {
		to = receiver(&lab);
		from = sender();
	}
	SONDE_START(&a, "capture", "-n", "-i", "sonde0", "-c", "1", "udp", "port", "7001");
	sonde_await_err(&a, "out: ");
	if (!sockets_first) {
		to = receiver(&lab);
		from = sender();
	}
	CHECK(send(from, "x", 1, 0) == 1, "sending: %s", strerror(errno));
	CHECK(!sonde_wait(&a), "%s", a.err);
	expect_owner("Out");
	lab_enter(&lab, LAB_FAR);
	SONDE_START(&a, "capture", "-n", "-i", "sonde1", "-c", "1", "udp", "port", "7001");
	sonde_await_err(&a, "in: ");
	CHECK(send(from, "x", 1, 0) == 1, "sending: %s", strerror(errno));
	CHECK(!sonde_wait(&a), "%s", a.err);
	expect_owner("In ");
	close(from);
	close(to);
	expect_clean(&lab);
}

SCENARIO(owner_of_new_sockets, 30)
{
	shown(false);
}

SCENARIO(owner_of_old_sockets, 30)
{
	shown(true);
}

/* A connection that was accepted is its listener's. */
SCENARIO(owner_of_accepted, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	prctl(PR_SET_NAME, name);
	SONDE_START(&a, "capture", "-n", "-i", "sonde0", "tcp");
	sonde_await_err(&a, "out: ");
	CHECK(!lab_tcp(&lab, AF_INET, 1000), "a connection");
	sonde_await_out(&a, "Flags [F");
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	expect_owner("Out");
	expect_owner("In ");
	expect_clean(&lab);
}

/* The kernel tells the processes apart before a packet is copied. */
SCENARIO(owner_filtered, 30)
{
	struct lab lab = { 0 };
	char pid[16];
	int from, to;

	lab_ready(&lab);
	prctl(PR_SET_NAME, "sender");
	to = receiver(&lab);
	from = sender();
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	SONDE_START(&a, "capture", "-n", "-i", "sonde0", "-c", "1", "udp", "and", "not", "pid",
		    pid);
	sonde_await_err(&a, "out: ");
	CHECK(send(from, "x", 1, 0) == 1, "sending: %s", strerror(errno));
	CHECK(!sonde_poll(&a, 200) || !a.len[0], "%s", a.out);
	CHECK(!sonde_stop(&a, SIGINT) && !a.len[0], "%s%s", a.out, a.err);
	SONDE_START(&a, "capture", "-n", "-i", "sonde0", "-c", "1", "comm", "sender", "and", "pid",
		    pid);
	sonde_await_err(&a, "out: ");
	CHECK(send(from, "x", 1, 0) == 1, "sending: %s", strerror(errno));
	CHECK(!sonde_wait(&a) && strstr(a.out, "[sender/"), "%s%s", a.out, a.err);
	close(from);
	close(to);
}
