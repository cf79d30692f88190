/* SPDX-License-Identifier: MIT */
/* Scenarios of packets' processes: new and old sockets, sent and received packets, shown and
 * filtered. */
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

/* This process's name during the tests. */
static const char *const name = "own\\er \xc3\xa9";

static int open_receiver(const struct lab *lab)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd;

	lab_enter(lab, LAB_FAR);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0 && !bind(fd, (void *)&to, sizeof(to)), "cannot bind: %s", strerror(errno));
	lab_enter(lab, LAB_NEAR);
	return fd;
}

static int open_sender(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, lab_address(LAB_FAR, AF_INET), &to.sin_addr);
	CHECK(fd >= 0 && !connect(fd, (void *)&to, sizeof(to)), "cannot connect: %s",
	      strerror(errno));
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

/* Both ends belong to this process, so both lines have its pid. */
static void expect_shown(bool sockets_first)
{
	struct lab lab = { 0 };
	int from = 0, to = 0;

	lab_ready(&lab);
	prctl(PR_SET_NAME, name);
	if (sockets_first) {
		to = open_receiver(&lab);
		from = open_sender();
	}
	SONDE_START(&a, "capture", "-n", "-i", "sonde0", "-c", "1", "udp", "port", "7001");
	sonde_await_err(&a, "out: ");
	if (!sockets_first) {
		to = open_receiver(&lab);
		from = open_sender();
	}
	CHECK(send(from, "x", 1, 0) == 1, "cannot send: %s", strerror(errno));
	CHECK(!sonde_wait(&a), "%s", a.err);
	expect_owner("Out");
	lab_enter(&lab, LAB_FAR);
	SONDE_START(&a, "capture", "-n", "-i", "sonde1", "-c", "1", "udp", "port", "7001");
	sonde_await_err(&a, "in: ");
	CHECK(send(from, "x", 1, 0) == 1, "cannot send: %s", strerror(errno));
	CHECK(!sonde_wait(&a), "%s", a.err);
	expect_owner("In ");
	close(from);
	close(to);
	expect_clean(&lab);
}

SCENARIO(owner_of_new_sockets, 30)
{
	expect_shown(false);
}

SCENARIO(owner_of_old_sockets, 30)
{
	expect_shown(true);
}

/* An accepted connection belongs to its listener's process. */
SCENARIO(owner_of_accepted, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	prctl(PR_SET_NAME, name);
	SONDE_START(&a, "capture", "-n", "-i", "sonde0", "tcp");
	sonde_await_err(&a, "out: ");
	CHECK(!lab_tcp(&lab, AF_INET, 1000), "cannot connect");
	sonde_await_out(&a, "Flags [F");
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	expect_owner("Out");
	expect_owner("In ");
	expect_clean(&lab);
}

/* The kernel filters by process before a packet is copied. */
SCENARIO(owner_filtered, 30)
{
	struct lab lab = { 0 };
	char pid[16];
	int from, to;

	lab_ready(&lab);
	prctl(PR_SET_NAME, "sender");
	to = open_receiver(&lab);
	from = open_sender();
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	SONDE_START(&a, "capture", "-n", "-i", "sonde0", "-c", "1", "udp", "and", "not", "pid",
		    pid);
	sonde_await_err(&a, "out: ");
	CHECK(send(from, "x", 1, 0) == 1, "cannot send: %s", strerror(errno));
	CHECK(!sonde_poll(&a, 200) || !a.len[0], "%s", a.out);
	CHECK(!sonde_stop(&a, SIGINT) && !a.len[0], "%s%s", a.out, a.err);
	SONDE_START(&a, "capture", "-n", "-i", "sonde0", "-c", "1", "comm", "sender", "and", "pid",
		    pid);
	sonde_await_err(&a, "out: ");
	CHECK(send(from, "x", 1, 0) == 1, "cannot send: %s", strerror(errno));
	CHECK(!sonde_wait(&a) && strstr(a.out, "[sender/"), "%s%s", a.out, a.err);
	close(from);
	close(to);
}
