/* SPDX-License-Identifier: MIT */
/* Scenarios of sonde filter: what rules do to real traffic, and what is told of it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if_arp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lab/address.h"
#include "tests/net/file.h"
#include "tests/net/net.h"
#include "tests/net/prom.h"
#include "tests/net/rules.h"

static struct sonde a, b;

enum { LEN = 100, FRAME = 14 + 20 + 8 + LEN };

/* A connection to a port of the far side, on its way. */
static int call_up(const struct lab *lab, int family, int port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	bool four = family == AF_INET;
	int fd, rc;

	inet_pton(family, lab_address(LAB_FAR, family),
		  four ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr);
	lab_enter(lab, LAB_NEAR);
	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0, "%s", strerror(errno));
	rc = connect(fd, four ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
		     four ? sizeof(v4) : sizeof(v6));
	CHECK(!rc || errno == EINPROGRESS, "connect: %s", strerror(errno));
	return fd;
}

/* Whether it has been answered by now: with ms to wait for it. */
static bool is_up(int fd, int ms)
{
	struct pollfd p = { fd, POLLOUT, 0 };
	int err = 0;
	socklen_t len = sizeof(err);

	if (poll(&p, 1, ms) != 1)
		return false;
	CHECK(!getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) && !err, "%s", strerror(err));
	return true;
}

static const char has_observer[] = "tcp and dst port 81 and tcp[tcpflags] = tcp-syn";
static const char observed6[] = "ip6 and tcp dst port 81";

/* The case that the gate was made for: only one port is served. */
static void only_80(const char *at, int family)
{
	bool xdp = !strcmp(at, "xdp");
	int servers[2], fds[2], patience = 4000 * (int)test_slow();
	struct lab lab = { 0 };

	lab_ready(&lab);
	if (family == AF_INET6 && !lab.ipv6)
		SKIP("this kernel has no IPv6");
	for (int i = 0; i < 2; i++)
		servers[i] = rules_socket(&lab, SOCK_STREAM, family, 80 + i);
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "add", "-i", "sonde1", "--at", at, "drop", "tcp and not dst port 80");
	CHECK(strstr(a.err, xdp ? "in: xdp" : "in: "), "%s", a.err);
	if (xdp) {
		SONDE_START(&b, "capture", "--json", "-i", "sonde1", "--at", "xdp", "-Q", "in",
			    family == AF_INET ? has_observer : observed6, "and", "verdict", "drop");
		AWAIT((sonde_poll(&b, 10), strstr(b.err, "behind the gate") ||
						   strstr(b.err, "no observer beside them")),
		      "%s", b.err);
		xdp = strstr(b.err, "behind the gate");
	}
	fds[0] = call_up(&lab, family, 80);
	fds[1] = call_up(&lab, family, 81);
	CHECK(is_up(fds[0], patience), "port 80 does not answer");
	AWAIT(FAR_HITS(&lab, "\"drop\"") > 0, "nothing is dropped");
	CHECK(!is_up(fds[1], 0), "port 81 answers");
	close(fds[1]);
	lab_enter(&lab, LAB_FAR);
	if (xdp) {
		AWAIT((sonde_poll(&b, 10), lines_of(b.out) == FAR_HITS(&lab, "\"drop\"")), "%s%s",
		      b.out, b.err);
		CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
		CHECK(strstr(b.out, "\"verdict\":\"drop\""), "%s", b.out);
	}
	FILTER(&a, "clear", "-i", "sonde1");
	fds[1] = call_up(&lab, family, 81);
	CHECK(is_up(fds[1], patience), "port 81 does not answer without rules");
	for (int i = 0; i < 2; i++) {
		close(servers[i]);
		close(fds[i]);
	}
	expect_clean(&lab);
}

SCENARIO(filter_only_80_xdp, 60)
{
	only_80("xdp", AF_INET);
}

SCENARIO(filter_only_80_tc, 60)
{
	only_80("tc", AF_INET);
}

SCENARIO(filter_only_80_ipv6, 60)
{
	only_80("xdp", AF_INET6);
}

SCENARIO(filter_only_80_ipv6_tc, 60)
{
	only_80("tc", AF_INET6);
}

/* What is sent, is what is told: in JSON, for Prometheus, and by the counters. */
SCENARIO(filter_numbers, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	silence(&lab);
	FILTER(&a, "add", "-i", "sonde0", "--out", "--name", "x", "drop", "udp dst port 7001");
	FILTER(&a, "add", "-i", "sonde0", "--out", "allow", "dst port 7002 or dst port 7003");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "add", "-i", "sonde1", "--name", "y", "drop", "udp dst port 7002");
	rules_send(&lab, AF_INET, 7001, 7, LEN);
	rules_send(&lab, AF_INET, 7002, 5, LEN);
	rules_send(&lab, AF_INET, 7003, 3, LEN);
	rules_expect("sonde0 out drop x: udp dst port 7001\n"
		     "sonde0 out allow: dst port 7002 or dst port 7003\n");
	CHECK(RULES_HITS("\"x\"") == 7, "dropped: %s", a.out);
	CHECK(RULES_HITS("\"allow\"") == 8, "let through: %s", a.out);
	CHECK(rules_hits("bytes", (const char *const[]){ "\"x\"", NULL }) == 7 * FRAME, "bytes");
	FILTER(&a, "list", "-o", "prom");
	expect_prom(a.out);
	CHECK(strstr(a.out, "sonde_filter_packets_total{device=\"sonde0\",direction=\"out\","
			    "rule=\"1\",name=\"x\",action=\"drop\"} 7\n"),
	      "%s", a.out);
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	CHECK(JSON_SUM(a.out, "packets", "\"out\"", "\"udp\"", "\"drop\"") == 7, "%s", a.out);
	CHECK(JSON_SUM(a.out, "packets", "\"out\"", "\"udp\"", "\"pass\"") == 8, "%s", a.out);
	AWAIT(FAR_HITS(&lab, "\"y\"") == 5, "the other end drops others");
	/* Without -i: of every interface; with one that has none: nothing. */
	CHECK(SONDE_RUN(&a, "filter", "list", "-i", "lo") == 1 && strstr(a.err, "no rules"),
	      "%d %s", a.rc, a.err);
	FILTER(&a, "clear", "-i", "sonde0");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "clear", "-i", "sonde1");
	expect_clean(&lab);
}

/* Rules come and go in their order: ids stay, and hits with them. */
SCENARIO(filter_order, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	silence(&lab);
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "add", "-i", "sonde1", "--name", "one", "drop", "udp dst port 7001");
	rules_send(&lab, AF_INET, 7001, 4, LEN);
	AWAIT(FAR_HITS(&lab, "\"one\"") == 4, "not all are dropped");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "add", "-i", "sonde1", "--first", "--name", "two", "allow", "udp dst port 7001");
	FILTER(&a, "add", "-i", "sonde1", "--before", "one", "drop", "icmp");
	FILTER(&a, "default", "-i", "sonde1", "allow");
	rules_expect("sonde1 in allow two: udp dst port 7001\n"
		     "sonde1 in drop: icmp\n"
		     "sonde1 in drop one: udp dst port 7001\n");
	rules_send(&lab, AF_INET, 7001, 5, LEN);
	AWAIT(FAR_HITS(&lab, "\"two\"") == 5, "not all are let through");
	CHECK(FAR_HITS(&lab, "\"one\"") == 4, "hits are not kept");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "del", "-i", "sonde1", "two", "3");
	FILTER_FAILS(&a, "del", "-i", "sonde1", "two");
	CHECK(strstr(a.err, "no rule two"), "%s", a.err);
	FILTER_FAILS(&a, "del", "-i", "sonde1", "one", "17");
	FILTER_FAILS(&a, "add", "-i", "sonde1", "--before", "17", "drop");
	/* Other rules, in the places of those before: their hits are their own. */
	FILTER(&a, "replace", "-i", "sonde1", "-f",
	       rules_file("rules", "drop arp\nallow udp\ndrop name one udp dst port 7001"));
	CHECK(FAR_HITS(&lab, "\"one\"") == 4, "hits of the same rule are not kept");
	CHECK(FAR_HITS(&lab, "\"sonde1\"") == 4, "hits of others are taken over");
	FILTER(&a, "clear", "-i", "sonde1");
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

/* Shared with the process that floods. */
struct shared {
	volatile bool stop;
	volatile unsigned int sent;
};

static _Noreturn void flood_on(const struct lab *lab, struct shared *shared)
{
	enum { PIECE = 2000 };

	do {
		flood(lab, PIECE, LEN);
		shared->sent += PIECE;
	} while (!shared->stop);
	_exit(0);
}

/* Rules are replaced while a flood runs: each packet is judged by one set or the other, and all
 * sums are of all packets. */
static void replaced(const char *at)
{
	const char *sets[] = {
		rules_file("one", "drop udp dst port 7777\nallow icmp"),
		rules_file("two", "allow arp\nallow tcp dst port 80\ndrop udp dst port 7777\n"
				  "default drop"),
	};
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int rounds = 50 / (int)test_slow() + 5, status;
	struct lab lab = { 0 };
	uint64_t before, lost, came;
	pid_t pid;

	CHECK(shared != MAP_FAILED, "no memory");
	lab_ready(&lab);
	silence(&lab);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde1", "--in", "--at", at), "%s",
	      a.err);
	FILTER(&a, "replace", "-i", "sonde1", "--at", at, "-f", sets[0]);
	before = arrived(&lab, 0);
	lost = dropped(&lab);
	pid = fork();
	if (!pid)
		flood_on(&lab, shared);
	AWAIT(RULES_HITS("7777") > 0, "no flood");
	for (int i = 1; i <= rounds; i++)
		FILTER(&a, "replace", "-i", "sonde1", "--at", at, "-f", sets[i % 2]);
	shared->stop = true;
	CHECK(waitpid(pid, &status, 0) == pid && !status, "the flood failed");
	came = all_arrived(&lab, before, shared->sent, lost);
	CHECK(came > shared->sent / 2, "too fast a flood");
	AWAIT(RULES_HITS("7777") >= came, "the rule has missed some");
	CHECK(RULES_HITS("7777") == came, "the rule has decided on %llu of %llu",
	      (unsigned long long)RULES_HITS("7777"), (unsigned long long)came);
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	CHECK(JSON_SUM(a.out, "packets", "\"udp\"", "\"drop\"") == came, "%llu came: %s",
	      (unsigned long long)came, a.out);
	CHECK(JSON_SUM(a.out, "packets", "\"udp\"", "\"pass\"") == 0, "some passed: %s", a.out);
	FILTER(&a, "clear", "-i", "sonde1");
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

SCENARIO(filter_replaced_xdp, 90)
{
	replaced("xdp");
}

SCENARIO(filter_replaced_tc, 90)
{
	replaced("tc");
}

/* Counters and rules of one interface come and go without each other, and stay exact. */
SCENARIO(filter_and_count, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	silence(&lab);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0"), "%s", a.err);
	CHECK(!lab_udp(&lab, AF_INET, 10, LEN, true), "traffic");
	FILTER(&a, "add", "-i", "sonde0", "drop", "tcp");
	FILTER(&a, "add", "-i", "sonde0", "--out", "drop", "tcp");
	CHECK(!lab_udp(&lab, AF_INET, 10, LEN, true), "traffic with rules");
	FILTER(&a, "clear", "-i", "sonde0");
	CHECK(!lab_udp(&lab, AF_INET, 5, LEN, true), "traffic without rules");
	CHECK(!lab_tcp(&lab, AF_INET, LEN), "rules are not off");
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	CHECK(JSON_SUM(a.out, "packets", "\"in\"", "\"udp\"") == 25, "%s", a.out);
	CHECK(JSON_SUM(a.out, "packets", "\"out\"", "\"udp\"") == 25, "%s", a.out);
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
	expect_clean(&lab);
	/* Rules first; the counters are installed where they are. */
	FILTER(&a, "add", "-i", "sonde0", "--at", "tc", "--name", "r", "allow", "udp");
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0", "--at", "tc"), "%s", a.err);
	CHECK(!lab_udp(&lab, AF_INET, 10, LEN, true), "traffic");
	CHECK(RULES_HITS("\"r\"") == 10, "hits");
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	CHECK(JSON_SUM(a.out, "packets", "\"in\"", "\"udp\"") == 10, "%s", a.out);
	FILTER(&a, "del", "-i", "sonde0", "r");
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	CHECK(JSON_SUM(a.out, "packets", "\"in\"", "\"udp\"") == 10, "%s", a.out);
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
	expect_clean(&lab);
}

/* A default of drop leaves the interface what it cannot do without. */
static void default_drop(const char *at)
{
	struct lab lab = { 0 };

	CHECK(!lab_open(&lab) && !lab_up(&lab), "making the laboratory");
	for (int side = LAB_SIDES - 1; side >= 0; side--) {
		lab_enter(&lab, (enum lab_side)side);
		FILTER(&a, "default", "-i", side ? "sonde1" : "sonde0", "--at", at, "drop");
	}
	/* That they arrive takes ARP, and neighbour discovery. */
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "add", "-i", "sonde1", "--name", "four", "drop", "ip and udp");
	FILTER(&a, "add", "-i", "sonde1", "--name", "six", "drop", "ip6 and udp");
	rules_send(&lab, AF_INET, 7001, 3, LEN);
	AWAIT(FAR_HITS(&lab, "\"four\"") == 3, "ARP does not come through");
	if (lab.ipv6) {
		rules_send(&lab, AF_INET6, 7001, 2, LEN);
		AWAIT(FAR_HITS(&lab, "\"six\"") == 2, "neighbour discovery does not");
	}
	for (int side = LAB_SIDES - 1; side >= 0; side--) {
		lab_enter(&lab, (enum lab_side)side);
		FILTER(&a, "add", "-i", side ? "sonde1" : "sonde0", "--first", "allow",
		       "icmp or icmp6");
	}
	CHECK(!lab_ping(&lab, AF_INET, 2, LEN), "a ping that is allowed");
	CHECK(!lab.ipv6 || !lab_ping(&lab, AF_INET6, 2, LEN), "a ping over IPv6");
	FILTER(&a, "clear", "-i", "sonde0");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "clear", "-i", "sonde1");
	lab_enter(&lab, LAB_NEAR);
	CHECK(!lab_udp(&lab, AF_INET, 1, LEN, true), "the default is still there");
	expect_clean(&lab);
}

SCENARIO(filter_default_xdp, 60)
{
	default_drop("xdp");
}

SCENARIO(filter_default_tc, 60)
{
	default_drop("tc");
}

/* A file of addresses. */
SCENARIO(filter_sets, 60)
{
	struct lab lab = { 0 };
	char expr[300];

	lab_ready(&lab);
	silence(&lab);
	snprintf(expr, sizeof(expr), "udp and src set %s",
		 rules_file("set", "198.51.100.0/24\n192.0.2.1\n2001:db8::/64\n"));
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "add", "-i", "sonde1", "--name", "set", "drop", expr);
	FILTER(&a, "add", "-i", "sonde1", "allow", "udp");
	rules_send(&lab, AF_INET, 7001, 6, LEN);
	AWAIT(FAR_HITS(&lab, "\"set\"") == 6, "not all are dropped");
	/* The file is read again when rules are replaced. */
	rules_file("set", "198.51.100.0/24");
	lab_enter(&lab, LAB_FAR);
	snprintf(expr, sizeof(expr), "drop name set udp and src set %s\nallow udp",
		 file_path("set"));
	FILTER(&a, "replace", "-i", "sonde1", "-f", rules_file("rules", expr));
	rules_send(&lab, AF_INET, 7001, 5, LEN);
	AWAIT(FAR_HITS(&lab, "\"allow\"") == 5, "it is not read again");
	CHECK(FAR_HITS(&lab, "\"set\"") == 6, "hits");
	lab_enter(&lab, LAB_FAR);
	/* The file is gone: the set is the kernel's, and can be changed there. */
	unlink(file_path("set"));
	FILTER(&a, "add", "-i", "sonde1", "drop", "tcp");
	FILTER(&a, "set", "add", "-i", "sonde1", file_path("set"), "192.0.2.0/30");
	FILTER(&a, "set", "list", "-i", "sonde1", file_path("set"));
	CHECK(!strcmp(a.out, "192.0.2.0/30\n198.51.100.0/24\n"), "%s", a.out);
	rules_send(&lab, AF_INET, 7001, 4, LEN);
	AWAIT(FAR_HITS(&lab, "\"set\"") == 10, "what was added is not dropped");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "set", "del", "-i", "sonde1", file_path("set"), "192.0.2.1");
	rules_send(&lab, AF_INET, 7001, 3, LEN);
	AWAIT(FAR_HITS(&lab, "\"allow\"") == 8, "what was taken out is dropped");
	lab_enter(&lab, LAB_FAR);
	FILTER_FAILS(&a, "set", "load", "-i", "sonde1", file_path("set"));
	rules_file("set", "192.0.2.1\n2001:db8::/33\n");
	FILTER(&a, "set", "load", "-i", "sonde1", file_path("set"));
	FILTER(&a, "set", "list", "-i", "sonde1", "-o", "json");
	CHECK(strstr(a.out, "\"ipv4_prefixes\":1,\"ipv6_prefixes\":1"), "%s", a.out);
	FILTER(&a, "clear", "-i", "sonde1");
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

static void expect_answer(int rc, const char *words)
{
	CHECK(a.rc == rc, "exit code %d, not %d: %s%s", a.rc, rc, a.out, a.err);
	CHECK(strstr(a.out, words), "no \"%s\" in: %s", words, a.out);
}

/* What would be, without sending anything; and that it is what is. */
SCENARIO(filter_test, 60)
{
	const char *file = rules_file("rules", "in allow name web tcp dst port 80\n"
					       "in drop ip6\nout drop udp\nin default drop");
	const char *path = file_path("test.pcapng");
	struct lab lab = { 0 };

#define RUN_TEST(...) SONDE_RUN(&a, "filter", "test", "--exit-code", "-f", file, __VA_ARGS__)
	RUN_TEST("tcp", "198.51.100.7:40000", "192.0.2.1:80");
	expect_answer(0, "1 in allow: rule in allow name web tcp dst port 80\n");
	RUN_TEST("tcp", "198.51.100.7", "192.0.2.1:81");
	expect_answer(1, "1 in drop: default");
	RUN_TEST("udp", "[2001:db8::7]:5000", "[2001:db8::1]:53");
	expect_answer(1, "in drop: rule in drop ip6");
	RUN_TEST("--out", "udp", "192.0.2.1:5", "192.0.2.2:5");
	expect_answer(1, "out drop: rule out drop udp");
	RUN_TEST("--out", "icmp", "192.0.2.1", "192.0.2.2");
	expect_answer(0, "out allow: default");
	CHECK(RUN_TEST("tcp", "192.0.2.1") == 2 && lines_of(a.err) == 1, "%s", a.err);
	CHECK(RUN_TEST("tcp", "192.0.2.1:80x", "192.0.2.2") == 2, "%s", a.err);
	CHECK(RUN_TEST("tcp", "192.0.2.1", "2001:db8::1") == 2, "%s", a.err);
	CHECK(RUN_TEST("tcp", "192.0.2.1:1", "192.0.2.2:2", "Q") == 2, "%s", a.err);
	CHECK(RUN_TEST("-r", "/nowhere") == 1 && strstr(a.err, "/nowhere"), "%s", a.err);
#undef TEST
	lab_ready(&lab);
	silence(&lab);
	SONDE_START(&b, "capture", "-i", "sonde0", "-w", path, "-c", "20", "udp or icmp");
	sonde_await_err(&b, "out: ");
	CHECK(!lab_udp(&lab, AF_INET, 7, LEN, true), "traffic");
	CHECK(!lab_ping(&lab, AF_INET, 3, LEN), "traffic");
	CHECK(!sonde_wait(&b), "%s", b.err);
	FILTER(&a, "replace", "-i", "sonde0", "-f",
	       rules_file("live", "out allow udp\ndrop udp\ndrop ip6"));
	SONDE_RUN(&a, "filter", "test", "--exit-code", "-i", "sonde0", "-r", path);
	CHECK(a.rc == 1 && lines_of(a.out) == 20, "%d: %s%s", a.rc, a.out, a.err);
	CHECK(strstr(a.out, "1 out allow: rule 1 out allow udp\n"), "%s", a.out);
	CHECK(strstr(a.out, "2 in drop: rule 2 in drop udp\n"), "%s", a.out);
	CHECK(strstr(a.out, "15 out allow: default"), "%s", a.out);
	FILTER(&a, "clear", "-i", "sonde0");
	expect_clean(&lab);
}
