/* SPDX-License-Identifier: MIT */
/* Scenarios of an upgrade: programs that an older sonde ($SONDE_OLD, see tests/upgrade.sh)
 * installed continue under this one. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/net/net.h"
#include "tests/net/rules.h"

enum { PORT = 7777 /* of lab_flood() */, LEN = 300, FEW = 2000 };

#define FLOOD_RULE      "udp dst port 7777"
#define OTHER_RULE      "udp dst port 9"
#define BANNED          "198.51.100.7"
#define RUN_OLD(s, ...) (use_old(true), SONDE_RUN(s, __VA_ARGS__))
#define RUN_NEW(s, ...) (use_old(false), SONDE_RUN(s, __VA_ARGS__))

static struct sonde a, b;

/* Selects the version to start from now on. */
static void use_old(bool old)
{
	static char path[4096];

	if (!*path)
		strncpy(path, getenv("SONDE") ? getenv("SONDE") : "build/sonde", sizeof(path) - 1);
	setenv("SONDE", old ? getenv("SONDE_OLD") : path, 1);
}

/* Counters, a guard and a rule that drops a flood, in one gate of the far side. */
static void install_old(const char *at)
{
	CHECK(!RUN_OLD(&a, "count", "--install", "-i", "sonde1", "--at", at), "%s", a.err);
	CHECK(!RUN_OLD(&a, "guard", "start", "-i", "sonde1", "--at", at, "--enforce", "-l",
		       "src 1000000 packets/s", "-l", "src 50 connections"),
	      "%s", a.err);
	CHECK(!RUN_OLD(&a, "guard", "ban", BANNED, "1h"), "%s", a.err);
	CHECK(!RUN_OLD(&a, "filter", "add", "-i", "sonde1", "--no-ssh", "--at", at, "drop",
		       FLOOD_RULE),
	      "%s", a.err);
}

static uint64_t count_udp(const char *dir)
{
	char direction[32];

	snprintf(direction, sizeof(direction), "\"direction\":\"%s\"", dir);
	CHECK(!RUN_NEW(&a, "count", "--read", "--json", "-i", "sonde1"), "%s", a.err);
	return JSON_SUM(a.out, "packets", direction, "\"protocol\":\"udp\"");
}

static uint64_t hits_of(const char *rule)
{
	char quoted[64];

	snprintf(quoted, sizeof(quoted), "\"%s\"", rule);
	use_old(false);
	return RULES_HITS(quoted);
}

/* Everything is shown: status, counters, hits, limits, ban. */
static void expect_shown(uint64_t packets)
{
	CHECK(!RUN_NEW(&a, "status", "--json"), "%s", a.err);
	CHECK(LINES_WITH(a.out, "\"sonde1\"", "sonde_g") == 2, "%s", a.out);
	CHECK(count_udp("in") == packets, "counters differ from %llu packets",
	      (unsigned long long)packets);
	CHECK(hits_of(FLOOD_RULE) == packets, "hits differ from %llu packets: %s",
	      (unsigned long long)packets, rules_installed());
	CHECK(!RUN_NEW(&a, "guard", "status", "--json"), "%s", a.err);
	CHECK(LINES_WITH(a.out, "src 1000000 packets/s") == 1 &&
		      LINES_WITH(a.out, "src 50 connections") == 1,
	      "%s", a.out);
	CHECK(!RUN_NEW(&a, "guard", "list", "--json"), "%s", a.err);
	CHECK(lines_of(a.out) == 1 && strstr(a.out, "\"" BANNED "\""), "%s", a.out);
}

enum { CHANGES = 6 };

/* What the flooding process and the test share. */
struct flood {
	volatile unsigned int sent; /* packets */
	volatile bool stop;
};

static void run_flood(struct lab *lab, struct flood *flood)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	lab_enter(lab, LAB_NEAR);
	while (!flood->stop) {
		lab_flood(lab, FEW, LEN);
		flood->sent += FEW;
	}
	_exit(0);
}

/* Changes the rules during a flood. Returns how many packets were sent. */
static unsigned int change_under_flood(struct lab *lab)
{
	struct flood *flood = mmap(NULL, sizeof(*flood), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = flood == MAP_FAILED ? -1 : fork();
	unsigned int sent;
	int status;

	CHECK(pid >= 0, "cannot flood: %s", strerror(errno));
	if (!pid)
		run_flood(lab, flood);
	for (int i = 0; i < CHANGES; i++) {
		unsigned int before = flood->sent;

		AWAIT(flood->sent != before, "no flood");
		if (i % 2)
			CHECK(!RUN_NEW(&a, "filter", "del", "-i", "sonde1", "other"), "%s", a.err);
		else
			CHECK(!RUN_NEW(&a, "filter", "add", "-i", "sonde1", "--no-ssh", "drop",
				       "name", "other", OTHER_RULE),
			      "%s", a.err);
	}
	flood->stop = true;
	CHECK(waitpid(pid, &status, 0) == pid && !status, "cannot flood");
	sent = flood->sent;
	munmap(flood, sizeof(*flood));
	return sent;
}

/* Opens n connections to a listener of the far side; both ends of each. */
static void connect_all(const struct lab *lab, int listener, int (*ends)[2], int n)
{
	struct sockaddr_storage to;
	socklen_t len = far_address(&to, AF_INET, 8080);

	lab_enter(lab, LAB_NEAR);
	for (int i = 0; i < n; i++) {
		ends[i][0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CHECK(!connect(ends[i][0], (struct sockaddr *)&to, len), "connect: %s",
		      strerror(errno));
		ends[i][1] = accept(listener, NULL, NULL);
	}
	lab_enter(lab, LAB_FAR);
}

static uint64_t open_conns(void)
{
	CHECK(!RUN_NEW(&a, "guard", "status", "--json"), "%s", a.err);
	return JSON_SUM(a.out, "entries", "\"what\":\"connections, open");
}

static void check_upgrade(const char *at)
{
	unsigned int sent;
	bool xdp = !strcmp(at, "xdp");
	struct lab lab = { 0 };
	int listener, ends[3][2];
	uint64_t arrived, before, lost;

	lab_ready(&lab);
	lab_silence(&lab);
	listener = far_listener(&lab, AF_INET, 8080, 5);
	lab_enter(&lab, LAB_FAR);
	install_old(at);
	if (xdp) { /* a counter of the old version reads the gate's counters */
		SONDE_START(&b, "count", "--json", "--once", "-d", "1h", "-i", "sonde1", "--in");
		sonde_await_err(&b, "reading the gate");
	}
	connect_all(&lab, listener, ends, 3);
	lab_enter(&lab, LAB_NEAR);
	arrived = flood_across(&lab, FEW, LEN);
	lab_enter(&lab, LAB_FAR);
	expect_shown(arrived);
	CHECK(open_conns() == 3, "%s", a.out);

	before = count_arrived(&lab, 0);
	lost = count_dropped(&lab);
	sent = change_under_flood(&lab);
	arrived += all_arrived(&lab, before, sent, lost);
	expect_shown(arrived);
	CHECK(open_conns() == 3, "%s", a.out);
	for (int i = 0; i < 6; i++)
		close(ends[i / 2][i % 2]);
	AWAIT(!open_conns(), "earlier connections are still open: %s", a.out);
	CHECK(!RUN_NEW(&a, "count", "--install", "-i", "sonde1", "--at", at), "%s", a.err);
	CHECK(strstr(a.err, "installed already"), "%s", a.err);
	if (xdp) { /* and has followed this version's gate */
		CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
		CHECK(!strstr(b.err, "gone"), "%s", b.err);
		CHECK(JSON_SUM(b.out, "packets", "\"in\"", "\"udp\"") == arrived, "%s", b.out);
	}
	CHECK(!RUN_NEW(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
	CHECK(hits_of(FLOOD_RULE) == arrived, "stopping the guard removed the rule's hits");
	CHECK(!RUN_NEW(&a, "detach", "--all"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

TEST(upgrade_xdp, "upgrade_xdp", TEST_ROOT | TEST_UPGRADE, 60)
{
	check_upgrade("xdp");
}

TEST(upgrade_tc, "upgrade_tc", TEST_ROOT | TEST_UPGRADE, 60)
{
	check_upgrade("tc");
}

/* This version detaches what it never changed, including the programs that count connections. */
static void detach_old(const char *at, bool by_parts)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	install_old(at);
	CHECK(hooks_of(&lab.end[LAB_FAR]).ours == 2, "the old version installed nothing");
	if (by_parts) {
		CHECK(!RUN_NEW(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
		CHECK(!RUN_NEW(&a, "filter", "clear", "-i", "sonde1"), "%s", a.err);
		CHECK(hooks_of(&lab.end[LAB_FAR]).ours == 2, "the counters were removed, too");
		CHECK(!RUN_NEW(&a, "detach", "-i", "sonde1"), "%s", a.err);
	} else {
		CHECK(!RUN_NEW(&a, "detach", "--all"), "%s", a.err);
	}
	CHECK(RUN_NEW(&a, "status", "-i", "sonde1") == 1 && strstr(a.err, "no program"), "%s%s",
	      a.out, a.err);
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

TEST(upgrade_detach_xdp, "upgrade_detach_xdp", TEST_ROOT | TEST_UPGRADE, 30)
{
	detach_old("xdp", false);
	detach_old("xdp", true);
}

TEST(upgrade_detach_tc, "upgrade_detach_tc", TEST_ROOT | TEST_UPGRADE, 30)
{
	detach_old("tc", false);
	detach_old("tc", true);
}
