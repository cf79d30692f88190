/* SPDX-License-Identifier: MIT */
/* Scenarios of sonde filter: the effect of rules on real traffic, and their counters. */
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

/* Starts to connect to a port of the far side. */
static int start_connect(const struct lab *lab, int family, int port)
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

/* Returns whether the connection is established; waits up to ms. */
static bool is_connected(int fd, int ms)
{
	struct pollfd p = { fd, POLLOUT, 0 };
	int err = 0;
	socklen_t len = sizeof(err);

	if (poll(&p, 1, ms) != 1)
		return false;
	CHECK(!getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) && !err, "%s", strerror(err));
	return true;
}

static const char syns_ipv4[] = "tcp and dst port 81 and tcp[tcpflags] = tcp-syn";
static const char syns_ipv6[] = "ip6 and tcp dst port 81";

/* The main use case: only one port is reachable. */
static void only_80(const char *at, int family)
{
	bool xdp = !strcmp(at, "xdp");
	int servers[2], fds[2], timeout_ms = 4000 * (int)test_slow();
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
			    family == AF_INET ? syns_ipv4 : syns_ipv6, "and", "verdict", "drop");
		AWAIT((sonde_poll(&b, 10), strstr(b.err, "after sonde's installed program") ||
						   strstr(b.err, "cannot capture after them")),
		      "%s", b.err);
		xdp = strstr(b.err, "after sonde's installed program");
	}
	fds[0] = start_connect(&lab, family, 80);
	fds[1] = start_connect(&lab, family, 81);
	CHECK(is_connected(fds[0], timeout_ms), "cannot connect to port 80");
	AWAIT(FAR_HITS(&lab, "\"drop\"") > 0, "no drops");
	CHECK(!is_connected(fds[1], 0), "can connect to port 81");
	close(fds[1]);
	lab_enter(&lab, LAB_FAR);
	if (xdp) {
		AWAIT((sonde_poll(&b, 10), lines_of(b.out) == FAR_HITS(&lab, "\"drop\"")), "%s%s",
		      b.out, b.err);
		CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
		CHECK(strstr(b.out, "\"verdict\":\"drop\""), "%s", b.out);
	}
	FILTER(&a, "clear", "-i", "sonde1");
	fds[1] = start_connect(&lab, family, 81);
	CHECK(is_connected(fds[1], timeout_ms), "cannot connect to port 81 without rules");
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

/* All reports equal the traffic sent: in JSON, for Prometheus, and in the counters. */
SCENARIO(filter_numbers, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_silence(&lab);
	FILTER(&a, "add", "-i", "sonde0", "--out", "--name", "x", "drop", "udp dst port 7001");
	FILTER(&a, "add", "-i", "sonde0", "--out", "allow", "dst port 7002 or dst port 7003");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "add", "-i", "sonde1", "--name", "y", "drop", "udp dst port 7002");
	rules_send(&lab, AF_INET, 7001, 7, LEN);
	rules_send(&lab, AF_INET, 7002, 5, LEN);
	rules_send(&lab, AF_INET, 7003, 3, LEN);
	rules_expect("sonde0 out drop x: udp dst port 7001\n"
		     "sonde0 out allow: dst port 7002 or dst port 7003\n");
	CHECK(RULES_HITS("\"x\"") == 7, "wrong hits of x: %s", a.out);
	CHECK(RULES_HITS("\"allow\"") == 8, "wrong hits of allow: %s", a.out);
	CHECK(rules_hits("bytes", (const char *const[]){ "\"x\"", NULL }) == 7 * FRAME,
	      "wrong bytes");
	FILTER(&a, "list", "-o", "prom");
	expect_prom(a.out);
	CHECK(strstr(a.out, "sonde_filter_packets_total{device=\"sonde0\",direction=\"out\","
			    "rule=\"1\",name=\"x\",action=\"drop\"} 7\n"),
	      "%s", a.out);
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	CHECK(JSON_SUM(a.out, "packets", "\"out\"", "\"udp\"", "\"drop\"") == 7, "%s", a.out);
	CHECK(JSON_SUM(a.out, "packets", "\"out\"", "\"udp\"", "\"pass\"") == 8, "%s", a.out);
	AWAIT(FAR_HITS(&lab, "\"y\"") == 5, "wrong hits at the far end");
	/* Without -i all interfaces are listed; an interface without rules is an error. */
	CHECK(SONDE_RUN(&a, "filter", "list", "-i", "lo") == 1 && strstr(a.err, "no rules"),
	      "%d %s", a.rc, a.err);
	FILTER(&a, "clear", "-i", "sonde0");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "clear", "-i", "sonde1");
	expect_clean(&lab);
}

/* Rules are inserted and deleted in order; ids and hits are kept. */
SCENARIO(filter_order, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_silence(&lab);
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "add", "-i", "sonde1", "--name", "one", "drop", "udp dst port 7001");
	rules_send(&lab, AF_INET, 7001, 4, LEN);
	AWAIT(FAR_HITS(&lab, "\"one\"") == 4, "wrong drops");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "add", "-i", "sonde1", "--first", "--name", "two", "allow", "udp dst port 7001");
	FILTER(&a, "add", "-i", "sonde1", "--before", "one", "drop", "icmp");
	FILTER(&a, "default", "-i", "sonde1", "allow");
	rules_expect("sonde1 in allow two: udp dst port 7001\n"
		     "sonde1 in drop: icmp\n"
		     "sonde1 in drop one: udp dst port 7001\n");
	rules_send(&lab, AF_INET, 7001, 5, LEN);
	AWAIT(FAR_HITS(&lab, "\"two\"") == 5, "wrong hits");
	CHECK(FAR_HITS(&lab, "\"one\"") == 4, "hits are lost");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "del", "-i", "sonde1", "two", "3");
	FILTER_FAILS(&a, "del", "-i", "sonde1", "two");
	CHECK(strstr(a.err, "no rule two"), "%s", a.err);
	FILTER_FAILS(&a, "del", "-i", "sonde1", "one", "17");
	FILTER_FAILS(&a, "add", "-i", "sonde1", "--before", "17", "drop");
	/* Other rules at the same positions have their own hits. */
	FILTER(&a, "replace", "-i", "sonde1", "-f",
	       rules_file("rules", "drop arp\nallow udp\ndrop name one udp dst port 7001"));
	CHECK(FAR_HITS(&lab, "\"one\"") == 4, "hits of the same rule are lost");
	CHECK(FAR_HITS(&lab, "\"sonde1\"") == 4, "hits of another rule are taken over");
	FILTER(&a, "clear", "-i", "sonde1");
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

/* Shared with the flooding process. */
struct shared {
	volatile bool stop;
	volatile unsigned int sent;
};

static _Noreturn void flood_on(const struct lab *lab, struct shared *shared)
{
	enum { PIECE = 2000 };

	do {
		lab_flood(lab, PIECE, LEN);
		shared->sent += PIECE;
	} while (!shared->stop);
	_exit(0);
}

/* Rules are replaced during a flood: each packet matches either the old or the new rules, and no
 * packet is lost from the sums. */
static void replace_under_flood(const char *at)
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
	uint64_t before, lost, arrived;
	pid_t pid;

	CHECK(shared != MAP_FAILED, "cannot map memory");
	lab_ready(&lab);
	lab_silence(&lab);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde1", "--in", "--at", at), "%s",
	      a.err);
	FILTER(&a, "replace", "-i", "sonde1", "--at", at, "-f", sets[0]);
	before = count_arrived(&lab, 0);
	lost = count_dropped(&lab);
	pid = fork();
	if (!pid)
		flood_on(&lab, shared);
	AWAIT(RULES_HITS("7777") > 0, "no flood");
	for (int i = 1; i <= rounds; i++)
		FILTER(&a, "replace", "-i", "sonde1", "--at", at, "-f", sets[i % 2]);
	shared->stop = true;
	CHECK(waitpid(pid, &status, 0) == pid && !status, "cannot flood");
	arrived = all_arrived(&lab, before, shared->sent, lost);
	CHECK(arrived > shared->sent / 2, "the flood is too fast");
	AWAIT(RULES_HITS("7777") >= arrived, "the rule missed packets");
	CHECK(RULES_HITS("7777") == arrived, "the rule has %llu hits, expected %llu",
	      (unsigned long long)RULES_HITS("7777"), (unsigned long long)arrived);
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	CHECK(JSON_SUM(a.out, "packets", "\"udp\"", "\"drop\"") == arrived, "%llu arrived: %s",
	      (unsigned long long)arrived, a.out);
	CHECK(JSON_SUM(a.out, "packets", "\"udp\"", "\"pass\"") == 0, "packets passed: %s", a.out);
	FILTER(&a, "clear", "-i", "sonde1");
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

SCENARIO(filter_replaced_xdp, 90)
{
	replace_under_flood("xdp");
}

SCENARIO(filter_replaced_tc, 90)
{
	replace_under_flood("tc");
}

/* Counters and rules of one interface are installed and removed independently, and stay exact. */
SCENARIO(filter_and_count, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_silence(&lab);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0"), "%s", a.err);
	CHECK(!lab_udp(&lab, AF_INET, 10, LEN, true), "cannot send");
	FILTER(&a, "add", "-i", "sonde0", "drop", "tcp");
	FILTER(&a, "add", "-i", "sonde0", "--out", "drop", "tcp");
	CHECK(!lab_udp(&lab, AF_INET, 10, LEN, true), "cannot send with rules");
	FILTER(&a, "clear", "-i", "sonde0");
	CHECK(!lab_udp(&lab, AF_INET, 5, LEN, true), "cannot send without rules");
	CHECK(!lab_tcp(&lab, AF_INET, LEN), "rules still apply");
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	CHECK(JSON_SUM(a.out, "packets", "\"in\"", "\"udp\"") == 25, "%s", a.out);
	CHECK(JSON_SUM(a.out, "packets", "\"out\"", "\"udp\"") == 25, "%s", a.out);
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
	expect_clean(&lab);
	/* Rules first; the counters share their hook. */
	FILTER(&a, "add", "-i", "sonde0", "--at", "tc", "--name", "r", "allow", "udp");
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0", "--at", "tc"), "%s", a.err);
	CHECK(!lab_udp(&lab, AF_INET, 10, LEN, true), "cannot send");
	CHECK(RULES_HITS("\"r\"") == 10, "wrong hits");
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	CHECK(JSON_SUM(a.out, "packets", "\"in\"", "\"udp\"") == 10, "%s", a.out);
	FILTER(&a, "del", "-i", "sonde0", "r");
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	CHECK(JSON_SUM(a.out, "packets", "\"in\"", "\"udp\"") == 10, "%s", a.out);
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
	expect_clean(&lab);
}

/* A default of drop still passes what the interface needs. */
static void default_drop(const char *at)
{
	struct lab lab = { 0 };

	CHECK(!lab_open(&lab) && !lab_up(&lab), "cannot create the lab");
	for (int side = LAB_SIDES - 1; side >= 0; side--) {
		lab_enter(&lab, (enum lab_side)side);
		FILTER(&a, "default", "-i", side ? "sonde1" : "sonde0", "--at", at, "drop");
	}
	/* Datagrams arrive only if ARP and neighbour discovery work. */
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "add", "-i", "sonde1", "--name", "four", "drop", "ip and udp");
	FILTER(&a, "add", "-i", "sonde1", "--name", "six", "drop", "ip6 and udp");
	rules_send(&lab, AF_INET, 7001, 3, LEN);
	AWAIT(FAR_HITS(&lab, "\"four\"") == 3, "ARP is dropped");
	if (lab.ipv6) {
		rules_send(&lab, AF_INET6, 7001, 2, LEN);
		AWAIT(FAR_HITS(&lab, "\"six\"") == 2, "neighbour discovery is dropped");
	}
	for (int side = LAB_SIDES - 1; side >= 0; side--) {
		lab_enter(&lab, (enum lab_side)side);
		FILTER(&a, "add", "-i", side ? "sonde1" : "sonde0", "--first", "allow",
		       "icmp or icmp6");
	}
	CHECK(!lab_ping(&lab, AF_INET, 2, LEN), "an allowed ping is dropped");
	CHECK(!lab.ipv6 || !lab_ping(&lab, AF_INET6, 2, LEN), "an allowed IPv6 ping is dropped");
	FILTER(&a, "clear", "-i", "sonde0");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "clear", "-i", "sonde1");
	lab_enter(&lab, LAB_NEAR);
	CHECK(!lab_udp(&lab, AF_INET, 1, LEN, true), "the default still applies");
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

SCENARIO(filter_quiet, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "add", "-q", "-i", "sonde1", "--no-ssh", "drop", "icmp");
	CHECK(!*a.err, "%s", a.err);
	CHECK(!SONDE_RUN(&a, "detach", "--all", "-q") && !*a.err, "%s", a.err);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-q", "-i", "sonde1") && !*a.err, "%s", a.err);
	CHECK(!SONDE_RUN(&a, "detach", "--all", "-q") && !*a.err, "%s", a.err);
}

/* Rules with a set of addresses from a file. */
SCENARIO(filter_sets, 60)
{
	struct lab lab = { 0 };
	char expr[300];

	lab_ready(&lab);
	lab_silence(&lab);
	snprintf(expr, sizeof(expr), "udp and src set %s",
		 rules_file("set", "198.51.100.0/24\n192.0.2.1\n2001:db8::/64\n"));
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "add", "-i", "sonde1", "--name", "set", "drop", expr);
	FILTER(&a, "add", "-i", "sonde1", "allow", "udp");
	rules_send(&lab, AF_INET, 7001, 6, LEN);
	AWAIT(FAR_HITS(&lab, "\"set\"") == 6, "wrong drops");
	/* Replacing rules reads the file again. */
	rules_file("set", "198.51.100.0/24");
	lab_enter(&lab, LAB_FAR);
	snprintf(expr, sizeof(expr), "drop name set udp and src set %s\nallow udp",
		 file_path("set"));
	FILTER(&a, "replace", "-i", "sonde1", "-f", rules_file("rules", expr));
	rules_send(&lab, AF_INET, 7001, 5, LEN);
	AWAIT(FAR_HITS(&lab, "\"allow\"") == 5, "the file is not read again");
	CHECK(FAR_HITS(&lab, "\"set\"") == 6, "wrong hits");
	lab_enter(&lab, LAB_FAR);
	/* Without the file, the kernel's set still works and can be changed. */
	unlink(file_path("set"));
	FILTER(&a, "add", "-i", "sonde1", "drop", "tcp");
	FILTER(&a, "set", "add", "-i", "sonde1", file_path("set"), "192.0.2.0/30");
	FILTER(&a, "set", "list", "-i", "sonde1", file_path("set"));
	CHECK(!strcmp(a.out, "192.0.2.0/30\n198.51.100.0/24\n"), "%s", a.out);
	rules_send(&lab, AF_INET, 7001, 4, LEN);
	AWAIT(FAR_HITS(&lab, "\"set\"") == 10, "an added address is not dropped");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "set", "del", "-i", "sonde1", file_path("set"), "192.0.2.1");
	rules_send(&lab, AF_INET, 7001, 3, LEN);
	AWAIT(FAR_HITS(&lab, "\"allow\"") == 8, "a deleted address is dropped");
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

static void expect_answer(int rc, const char *text)
{
	CHECK(a.rc == rc, "exit code %d, expected %d: %s%s", a.rc, rc, a.out, a.err);
	CHECK(strstr(a.out, text), "no \"%s\" in: %s", text, a.out);
}

/* The predicted verdicts, without sending anything, equal the kernel's. */
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
	lab_silence(&lab);
	SONDE_START(&b, "capture", "-i", "sonde0", "-w", path, "-c", "20", "udp or icmp");
	sonde_await_err(&b, "out: ");
	CHECK(!lab_udp(&lab, AF_INET, 7, LEN, true), "cannot send");
	CHECK(!lab_ping(&lab, AF_INET, 3, LEN), "cannot ping");
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
