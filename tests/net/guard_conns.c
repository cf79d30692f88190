/* SPDX-License-Identifier: MIT */
/* Scenarios of sonde guard: connection limits on real sockets. */
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

/* A listener at the far side, and the connections from the near side. */
struct conns {
	int family, listener;
	int near[CONNS_MAX], far[CONNS_MAX];
	unsigned int started, accepted;
};

/* With IPv6 the listener is a dual-stack socket: mapped IPv4 addresses must count as IPv4. */
static void open_conns(struct conns *c, const struct lab *lab, int family)
{
	*c = (struct conns){ .family = family };
	c->listener = far_listener(lab, lab->ipv6 ? AF_INET6 : AF_INET, PORT, CONNS_MAX);
	CHECK(!fcntl(c->listener, F_SETFL, O_NONBLOCK), "fcntl");
}

/* Starts n connections. */
static void start_conns(struct conns *c, unsigned int n)
{
	struct sockaddr_storage to;
	socklen_t len = far_address(&to, c->family, PORT);

	for (; n; n--) {
		int fd = socket(c->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		CHECK(!connect(fd, (struct sockaddr *)&to, len) || errno == EINPROGRESS,
		      "connect: %s", strerror(errno));
		c->near[c->started++] = fd;
	}
}

static unsigned int accept_conns(struct conns *c)
{
	int fd;

	while ((fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		c->far[c->accepted++] = fd;
	return c->accepted;
}

/* Closes both ends of accepted connections and aborts the others. reset: with a RST, so that no
 * pending handshake becomes another connection. */
static void close_conns(struct conns *c, bool reset)
{
	const struct linger at_once = { .l_onoff = 1 };

	while (c->started) {
		if (reset)
			setsockopt(c->near[c->started - 1], SOL_SOCKET, SO_LINGER, &at_once,
				   sizeof(at_once));
		close(c->near[--c->started]);
	}
	while (c->accepted)
		close(c->far[--c->accepted]);
}

static uint64_t status_of(const struct lab *lab, const char *what, const char *member)
{
	char text[96];
	uint64_t n;

	lab_enter(lab, LAB_FAR);
	snprintf(text, sizeof(text), "\"what\":\"%s", what);
	CHECK(!SONDE_RUN(&a, "guard", "status", "--json"), "%s", a.err);
	n = JSON_SUM(a.out, member, text);
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

/* Counts the programs that count connections, at the root of the cgroups. */
static unsigned int count_programs(void)
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

/* Before 5.12 two CPUs that create an entry at the same time may lose a count: the kernel has no
 * compare-and-swap. */
static unsigned int count_slack(void)
{
	return feature_try("atomics that fetch") ? 1 : 0;
}

/* Exactly the limit may be open; when some close, others may open. */
static void open_to_limit(const struct lab *lab, const char *at, int family)
{
	struct conns c;
	uint64_t before;

	START(lab, at, "--enforce", "-l", "src 5 connections", "-l", "src 100000 packets/s");
	open_conns(&c, lab, family);
	start_conns(&c, 5);
	AWAIT(accept_conns(&c) == 5, "%u of 5 accepted", c.accepted);
	before = status_of(lab, "src 5 connections", "packets");
	start_conns(&c, 7);
	AWAIT(status_of(lab, "src 5 connections", "packets") >= before + 7,
	      "the others are not over the limit: %s", a.out);
	CHECK(accept_conns(&c) >= 5 && accept_conns(&c) <= 5 + count_slack(),
	      "%u accepted, expected 5", c.accepted);
	CHECK(status_of(lab, "connections, open", "entries") == 5, "%s", a.out);
	/* A guard that replaces this one keeps them. */
	START(lab, at, "--enforce", "-l", "src 5 connections", "-l", "src 100000 packets/s",
	      "--allow", "udp");
	CHECK(status_of(lab, "connections, open", "entries") == 5, "%s", a.out);
	close_conns(&c, true);
	AWAIT(!status_of(lab, "connections, open", "entries"), "not counted as closed: %s", a.out);
	start_conns(&c, 3);
	AWAIT(accept_conns(&c) == 3, "%u of 3 accepted", c.accepted);
	CHECK(status_of(lab, "connections, open", "entries") == 3, "%s", a.out);
	close_conns(&c, true);
	close(c.listener);
}

static void check_open_limit(const char *at)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	open_to_limit(&lab, at, AF_INET);
	if (lab.ipv6)
		open_to_limit(&lab, at, AF_INET6);
	CHECK(count_programs() == 1, "%u programs count connections", count_programs());
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	CHECK(!count_programs(), "connections are still counted");
	expect_clean(&lab);
}

SCENARIO(guard_conns_xdp, 60)
{
	check_open_limit("xdp");
}

SCENARIO(guard_conns_tc, 60)
{
	check_open_limit("tc");
}

/* All handshakes run at the same time: those that complete after the limit is reached are reset. In
 * a dry run they are only counted. At tc, since a batch of packets may pass XDP before TCP sees the
 * first of them. */
static void open_over_limit(const struct lab *lab, bool enforce)
{
	struct conns c;
	uint64_t before;

	START(lab, "tc", enforce ? "--enforce" : "--no-ssh", "-l", "src 4 connections");
	CHECK(!SONDE_RUN(&a, "filter", "add", "-i", "sonde0", "--no-ssh", "drop",
			 "tcp[tcpflags] & tcp-syn != 0"),
	      "%s", a.err);
	before = status_of(lab, "src 4 connections", "packets");
	open_conns(&c, lab, AF_INET);
	start_conns(&c, 10);
	nap_ms(200);
	CHECK(!accept_conns(&c), "a handshake completed");
	CHECK(!SONDE_RUN(&a, "filter", "clear", "-i", "sonde0"), "%s", a.err);
	AWAIT(accept_conns(&c) >= (enforce ? 4 : 10), "%u accepted", c.accepted);
	if (enforce)
		AWAIT(status_of(lab, "src 4 connections", "packets") >= before + 6,
		      "none is over the limit: %s", a.out);
	CHECK(accept_conns(&c) == (enforce ? 4 : 10), "%u accepted", c.accepted);
	CHECK(status_of(lab, "src 4 connections", "packets") >= before + 6,
	      "none is over the limit: %s", a.out);
	close_conns(&c, true);
	close(c.listener);
	AWAIT(!status_of(lab, "connections, open", "entries"), "not counted as closed: %s", a.out);
}

SCENARIO(guard_conns_late, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	open_over_limit(&lab, true);
	open_over_limit(&lab, false);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "detach", "-i", "sonde1"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	CHECK(!count_programs(), "connections are still counted");
	expect_clean(&lab);
}

/* A limit per minute applies even if no connection stays open. */
SCENARIO(guard_conns_rate, 60)
{
	struct lab lab = { 0 };
	struct conns c;

	lab_ready(&lab);
	START(&lab, "tc", "--enforce", "-l", "src 3 connections/m");
	open_conns(&c, &lab, AF_INET);
	for (unsigned int i = 1; i <= 3; i++) {
		start_conns(&c, 1);
		AWAIT(accept_conns(&c) == 1, "connection %u is not accepted", i);
		close_conns(&c, false);
	}
	start_conns(&c, 3);
	AWAIT(status_of(&lab, "src 3 connections/m", "packets") >= 3, "not over the limit: %s",
	      a.out);
	CHECK(!accept_conns(&c), "accepted a fourth connection");
	close_conns(&c, false);
	/* Deleting the interface deletes its gate; detach finds the program that counted for it. */
	CHECK(count_programs() == 1, "%u programs count connections", count_programs());
	lab_close(&lab);
	AWAIT(SONDE_RUN(&a, "detach", "--all") <= 1 && !count_programs(),
	      "connections are still counted");
}

/* Unconfirmed limits are undone, together with the programs that count connections. */
SCENARIO(guard_conns_unconfirmed, 60)
{
	struct lab lab = { 0 };
	struct conns c;

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	CHECK(SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "-l", "src 5 connections",
			"--confirm", "500ms") == 1,
	      "does not fail: %s", a.err);
	CHECK(strstr(a.err, "the change was undone") && SONDE_RUN(&a, "guard", "status") == 1, "%s",
	      a.err);
	CHECK(!count_programs(), "connections are still counted");
	START(&lab, "xdp", "--enforce", "-l", "src 5 connections");
	open_conns(&c, &lab, AF_INET);
	start_conns(&c, 2);
	AWAIT(accept_conns(&c) == 2, "%u of 2 accepted", c.accepted);
	lab_enter(&lab, LAB_FAR);
	CHECK(SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--enforce", "-l", "src 9 packets/s",
			"--confirm", "500ms") == 1,
	      "does not fail: %s", a.err);
	CHECK(count_programs() == 1, "%u programs count connections", count_programs());
	lab_enter(&lab, LAB_NEAR);
	start_conns(&c, 1);
	AWAIT(accept_conns(&c) == 3, "%u of 3 accepted", c.accepted);
	lab_enter(&lab, LAB_FAR);
	SONDE_START(&a, "guard", "start", "-i", "sonde1", "-l", "src 9 packets/s", "--confirm",
		    "60s");
	sonde_await_err(&a, "undone in 60 s");
	CHECK(!SONDE_RUN(&b, "guard", "confirm", "-i", "sonde1"), "%s", b.err);
	CHECK(!sonde_wait(&a), "%s", a.err);
	CHECK(SONDE_RUN(&b, "guard", "confirm", "-i", "sonde1") == 1, "confirmed twice");
	lab_enter(&lab, LAB_NEAR);
	CHECK(status_of(&lab, "entries, capacity", "entries") > 0 &&
		      strstr(a.out, "src 9 packets/s"),
	      "wrong limits: %s", a.out);
	close_conns(&c, true);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
	CHECK(!count_programs(), "connections are still counted");
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}
