/* SPDX-License-Identifier: MIT */
/* Scenarios of sonde guard: limits of connections, on real sockets. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "obj/feature.h"
#include "sys/bpf.h"
#include "sys/mnt.h"
#include "tests/net/net.h"

enum { PORT = 8080, CONNS_MAX = 64 };

static struct sonde a, b;

/* A listener at the far side, and what was opened to it from the near one. */
struct conns {
	int family, listener;
	int near[CONNS_MAX], far[CONNS_MAX];
	unsigned int asked, accepted;
};

/* Where there is IPv6, sockets are of that, and have IPv4 under other names: they are the same. */
static void begin(struct conns *c, const struct lab *lab, int family)
{
	*c = (struct conns){ .family = family };
	c->listener = far_listener(lab, lab->ipv6 ? AF_INET6 : AF_INET, PORT, CONNS_MAX);
	CHECK(!fcntl(c->listener, F_SETFL, O_NONBLOCK), "fcntl");
}

/* Ask for n connections at once. */
static void ask(struct conns *c, unsigned int n)
{
	struct sockaddr_storage to;
	socklen_t len = far_address(&to, c->family, PORT);

	for (; n; n--) {
		int fd = socket(c->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		CHECK(!connect(fd, (struct sockaddr *)&to, len) || errno == EINPROGRESS,
		      "connect: %s", strerror(errno));
		c->near[c->asked++] = fd;
	}
}

static unsigned int accepted(struct conns *c)
{
	int fd;

	while ((fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		c->far[c->accepted++] = fd;
	return c->accepted;
}

/* Those that were accepted end at both sides, the others are given up. reset: at once, so that none
 * of a handshake that goes on becomes another connection. */
static void end(struct conns *c, bool reset)
{
	const struct linger at_once = { .l_onoff = 1 };

	while (c->asked) {
		if (reset)
			setsockopt(c->near[c->asked - 1], SOL_SOCKET, SO_LINGER, &at_once,
				   sizeof(at_once));
		close(c->near[--c->asked]);
	}
	while (c->accepted)
		close(c->far[--c->accepted]);
}

static uint64_t status_of(const struct lab *lab, const char *what, const char *member)
{
	char words[96];
	uint64_t n;

	lab_enter(lab, LAB_FAR);
	snprintf(words, sizeof(words), "\"what\":\"%s", what);
	CHECK(!SONDE_RUN(&a, "guard", "status", "--json"), "%s", a.err);
	n = JSON_SUM(a.out, member, words);
	lab_enter(lab, LAB_NEAR);
	return n;
}

#define START(lab, at, ...)                                                                      \
	do {                                                                                     \
		lab_enter(lab, LAB_FAR);                                                         \
		CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--at", at, __VA_ARGS__), \
		      "%s", a.err);                                                              \
		lab_enter(lab, LAB_NEAR);                                                        \
	} while (0)

/* What counts connections, at the root of the cgroups. */
static unsigned int counters(void)
{
	int root = mnt_open_dir("cgroup2", "/sys/fs/cgroup", CGROUP2_SUPER_MAGIC), n;
	uint32_t ids[64];
	unsigned int ours = 0;

	CHECK(root >= 0, "cgroup2: %s", strerror(-root));
	n = bpf_prog_query(root, BPF_CGROUP_SOCK_OPS, ids, NULL, 64);
	for (int i = 0; i < n; i++) {
		struct bpf_prog_info info = { 0 };
		int fd = bpf_fd_by_id(BPF_KIND_PROG, ids[i]);

		ours += fd >= 0 && !bpf_get_info(fd, &info, sizeof(info)) &&
			!strcmp(info.name, "sonde_conns");
		close(fd);
	}
	close(root);
	return ours;
}

/* As many as may be open, and no more; when some end, others may begin. */
/* Before 5.12 two CPUs that make an entry at once may lose a count: the kernel has no
 * compare-and-swap. */
static unsigned int slack(void)
{
	return feature_try("atomics that fetch") ? 1 : 0;
}

static void open_ones(const struct lab *lab, const char *at, int family)
{
	struct conns c;
	uint64_t before;

	START(lab, at, "--enforce", "-l", "src 5 connections", "-l", "src 100000 packets/s");
	begin(&c, lab, family);
	ask(&c, 5);
	AWAIT(accepted(&c) == 5, "%u of 5 accepted", c.accepted);
	before = status_of(lab, "src 5 connections", "packets");
	ask(&c, 7);
	AWAIT(status_of(lab, "src 5 connections", "packets") >= before + 7,
	      "the others are not over: %s", a.out);
	CHECK(accepted(&c) >= 5 && accepted(&c) <= 5 + slack(), "%u accepted, not 5", c.accepted);
	CHECK(status_of(lab, "connections, open", "entries") == 5, "%s", a.out);
	/* Another guard in its place knows them. */
	START(lab, at, "--enforce", "-l", "src 5 connections", "-l", "src 100000 packets/s",
	      "--allow", "udp");
	CHECK(status_of(lab, "connections, open", "entries") == 5, "%s", a.out);
	end(&c, true);
	AWAIT(!status_of(lab, "connections, open", "entries"), "not closed: %s", a.out);
	ask(&c, 3);
	AWAIT(accepted(&c) == 3, "%u of 3 accepted", c.accepted);
	CHECK(status_of(lab, "connections, open", "entries") == 3, "%s", a.out);
	end(&c, true);
	close(c.listener);
}

static void conns_open(const char *at)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	open_ones(&lab, at, AF_INET);
	if (lab.ipv6)
		open_ones(&lab, at, AF_INET6);
	CHECK(counters() == 1, "%u programs count", counters());
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	CHECK(!counters(), "connections are still counted");
	expect_clean(&lab);
}

SCENARIO(guard_conns_xdp, 60)
{
	conns_open("xdp");
}

SCENARIO(guard_conns_tc, 60)
{
	conns_open("tc");
}

/* All handshakes at once: whoever answers last is late. In a dry run it is only told. At tc, for a
 * batch of packets may pass XDP before the first of them is looked at by TCP. */
static void late(const struct lab *lab, bool enforce)
{
	struct conns c;
	uint64_t before;

	START(lab, "tc", enforce ? "--enforce" : "--no-ssh", "-l", "src 4 connections");
	CHECK(!SONDE_RUN(&a, "filter", "add", "-i", "sonde0", "--no-ssh", "drop",
			 "tcp[tcpflags] & tcp-syn != 0"),
	      "%s", a.err);
	before = status_of(lab, "src 4 connections", "packets");
	begin(&c, lab, AF_INET);
	ask(&c, 10);
	nap_ms(200);
	CHECK(!accepted(&c), "a handshake came through");
	CHECK(!SONDE_RUN(&a, "filter", "clear", "-i", "sonde0"), "%s", a.err);
	AWAIT(accepted(&c) >= (enforce ? 4 : 10), "%u accepted", c.accepted);
	if (enforce)
		AWAIT(status_of(lab, "src 4 connections", "packets") >= before + 6,
		      "none is late: %s", a.out);
	CHECK(accepted(&c) == (enforce ? 4 : 10), "%u accepted", c.accepted);
	CHECK(status_of(lab, "src 4 connections", "packets") >= before + 6, "none is late: %s",
	      a.out);
	end(&c, true);
	close(c.listener);
	AWAIT(!status_of(lab, "connections, open", "entries"), "not closed: %s", a.out);
}

SCENARIO(guard_conns_late, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	late(&lab, true);
	late(&lab, false);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "detach", "-i", "sonde1"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	CHECK(!counters(), "connections are still counted");
	expect_clean(&lab);
}

/* So many a minute, though none stays. */
SCENARIO(guard_conns_rate, 60)
{
	struct lab lab = { 0 };
	struct conns c;

	lab_ready(&lab);
	START(&lab, "tc", "--enforce", "-l", "src 3 connections/m");
	begin(&c, &lab, AF_INET);
	for (unsigned int i = 1; i <= 3; i++) {
		ask(&c, 1);
		AWAIT(accepted(&c) == 1, "connection %u is not accepted", i);
		end(&c, false);
	}
	ask(&c, 3);
	AWAIT(status_of(&lab, "src 3 connections/m", "packets") >= 3, "not over: %s", a.out);
	CHECK(!accepted(&c), "a fourth is accepted");
	end(&c, false);
	/* The interface takes its gate along; what counts for it is found by whoever clears up. */
	CHECK(counters() == 1, "%u programs count", counters());
	lab_close(&lab);
	AWAIT(SONDE_RUN(&a, "detach", "--all") <= 1 && !counters(),
	      "connections are still counted");
}

/* Limits that nobody confirms are those of before again, and what counts for them is back. */
SCENARIO(guard_conns_unconfirmed, 60)
{
	struct lab lab = { 0 };
	struct conns c;

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	CHECK(SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "-l", "src 5 connections",
			"--confirm", "500ms") == 1,
	      "it works: %s", a.err);
	CHECK(strstr(a.err, "the change is undone") && SONDE_RUN(&a, "guard", "status") == 1, "%s",
	      a.err);
	CHECK(!counters(), "connections are still counted");
	START(&lab, "xdp", "--enforce", "-l", "src 5 connections");
	begin(&c, &lab, AF_INET);
	ask(&c, 2);
	AWAIT(accepted(&c) == 2, "%u of 2 accepted", c.accepted);
	lab_enter(&lab, LAB_FAR);
	CHECK(SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--enforce", "-l", "src 9 packets/s",
			"--confirm", "500ms") == 1,
	      "it works: %s", a.err);
	CHECK(counters() == 1, "%u programs count", counters());
	lab_enter(&lab, LAB_NEAR);
	ask(&c, 1);
	AWAIT(accepted(&c) == 3, "%u of 3 accepted", c.accepted);
	lab_enter(&lab, LAB_FAR);
	SONDE_START(&a, "guard", "start", "-i", "sonde1", "-l", "src 9 packets/s", "--confirm",
		    "60s");
	sonde_await_err(&a, "confirm within 60 s");
	CHECK(!SONDE_RUN(&b, "guard", "confirm", "-i", "sonde1"), "%s", b.err);
	CHECK(!sonde_wait(&a), "%s", a.err);
	CHECK(SONDE_RUN(&b, "guard", "confirm", "-i", "sonde1") == 1, "confirmed twice");
	lab_enter(&lab, LAB_NEAR);
	CHECK(status_of(&lab, "entries, capacity", "entries") > 0 &&
		      strstr(a.out, "src 9 packets/s"),
	      "other limits: %s", a.out);
	end(&c, true);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
	CHECK(!counters(), "connections are still counted");
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}
