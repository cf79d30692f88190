/* SPDX-License-Identifier: MIT */
/* Scenarios of sonde guard: limits and bans on real packets, floods of strangers. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "lab/address.h"
#include "tests/lib/draw.h"
#include "tests/lib/packet.h"
#include "tests/net/file.h"
#include "tests/net/net.h"
#include "tests/net/rules.h"

enum { PORT = 8080, STRANGERS = 1000000, BATCH = 64 };

static struct sonde a, b;

static uint64_t status_of(const char *what, const char *member)
{
	char words[96];

	CHECK(!SONDE_RUN(&a, "guard", "status", "--json"), "%s", a.err);
	snprintf(words, sizeof(words), "\"what\":\"%s", what);
	return JSON_SUM(a.out, member, words);
}

/* The far side's, and back to the near one. */
static void stop(struct lab *lab)
{
	CHECK(!SONDE_RUN(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
	lab_enter(lab, LAB_NEAR);
}

static void limits(const char *at)
{
	unsigned int packets = 100000 / test_slow();
	struct lab lab = { 0 };
	uint64_t came, start, ns, accepted, want;

	lab_ready(&lab);
	silence(&lab);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--at", at, "--enforce", "-l",
			 "src 2000 packets/s burst 1000"),
	      "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	start = clock_mono();
	came = flood_across(&lab, packets, 300);
	ns = clock_mono() - start;
	lab_enter(&lab, LAB_FAR);
	accepted = came - status_of("src 2000", "packets");
	want = 1000 + 2000 * ns / NS_PER_S;
	CHECK(accepted <= want + want / 100, "%llu accepted, not %llu",
	      (unsigned long long)accepted, (unsigned long long)want);
	CHECK(accepted >= 1000 || accepted == came, "%llu accepted: less than the burst",
	      (unsigned long long)accepted);
	CHECK(!SONDE_RUN(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
	CHECK(SONDE_RUN(&a, "guard", "status") == 1, "a guard is still there");
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

SCENARIO(guard_limits_xdp, 60)
{
	limits("xdp");
}

SCENARIO(guard_limits_tc, 60)
{
	limits("tc");
}

/* By hand, and through a change of the limits. */
SCENARIO(guard_bans, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--enforce"), "%s", a.err);
	CHECK(!SONDE_RUN(&a, "guard", "ban", "192.0.2.1", "1h"), "%s", a.err);
	CHECK(!SONDE_RUN(&a, "guard", "ban", "2001:db8::/64", "1h"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	CHECK(lab_udp(&lab, AF_INET, 1, 10, true) == -ETIMEDOUT, "banned, yet answered");
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--enforce", "-l",
			 "src 50 packets/s", "-l", "dst 1000 packets/s count"),
	      "%s", a.err);
	CHECK(!SONDE_RUN(&a, "guard", "list", "--json"), "%s", a.err);
	CHECK(lines_of(a.out) == 2 && strstr(a.out, "\"192.0.2.1\"") &&
		      strstr(a.out, "\"2001:db8::/64\""),
	      "%s", a.out);
	/* Rules beside it do not touch it. */
	CHECK(!SONDE_RUN(&a, "filter", "add", "-i", "sonde1", "--no-ssh", "drop", "udp", "port",
			 "9"),
	      "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	CHECK(lab_udp(&lab, AF_INET, 1, 10, true) == -ETIMEDOUT, "banned, yet answered");
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "unban", "192.0.2.1"), "%s", a.err);
	CHECK(SONDE_RUN(&a, "guard", "unban", "192.0.2.1") == 1, "unbanned twice");
	lab_enter(&lab, LAB_NEAR);
	CHECK(!lab_udp(&lab, AF_INET, 1, 10, true), "unbanned, yet silent");
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
	CHECK(!SONDE_RUN(&a, "filter", "list"), "%s", a.err);
	CHECK(strstr(a.out, "udp port 9"), "the rules went with the guard: %s", a.out);
	CHECK(!SONDE_RUN(&a, "filter", "clear", "-i", "sonde1"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

/* Packets that match pass unlimited, the others do not. */
SCENARIO(guard_allows, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--enforce", "-l",
			 "src 1 packets/m ban 1h", "--allow", "src host 192.0.2.1 and udp"),
	      "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	CHECK(!lab_udp(&lab, AF_INET, 100, 10, true), "allowed, yet limited");
	CHECK(lab_ping(&lab, AF_INET, 5, 10) == -ETIMEDOUT, "not allowed, yet unlimited");
	CHECK(!lab_udp(&lab, AF_INET, 10, 10, true), "allowed, yet banned");
	lab_enter(&lab, LAB_FAR);
	CHECK(status_of("allowed", "packets") >= 110, "%s", a.out);
	CHECK(!SONDE_RUN(&a, "detach", "-i", "sonde1"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

/* A TCP packet of a stranger to the far side; addresses and ports are put in by strangers(). */
static void make_stranger(struct packet *p, const struct lab *lab, bool syn)
{
	uint8_t macs[12];
	uint16_t port = htons(PORT);

	lab_mac(lab, LAB_FAR, macs);
	lab_mac(lab, LAB_NEAR, macs + 6);
	p->len = 0;
	packet_eth(p, 0x0800);
	memcpy(p->at, macs, sizeof(macs));
	packet_ipv4(p, 6, 5);
	packet_tcp(p, 5);
	p->at[14 + 3] = 40; /* total length */
	p->at[14 + 8] = 64;
	inet_pton(AF_INET, lab_address(LAB_FAR, AF_INET), p->at + 14 + 16);
	memcpy(p->at + 34 + 2, &port, sizeof(port));
	p->at[34 + 13] = syn ? 2 : 16;
}

static uint32_t sum_of(const uint8_t *at, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	return sum;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	at[0] = (uint8_t)(sum >> 8);
	at[1] = (uint8_t)sum;
}

/* From so many sources, a packet each. */
static void strangers(const struct lab *lab, unsigned int n, bool syn)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = lab->end[LAB_NEAR].link.ifindex };
	static uint8_t frames[BATCH][54];
	struct mmsghdr msgs[BATCH] = { 0 };
	struct iovec iov[BATCH];
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct packet p;
	uint64_t seed = 99;

	make_stranger(&p, lab, syn);
	for (unsigned int i = 0; i < n; i++) {
		uint8_t *f = frames[i % BATCH];
		/* Whoever has sent a SYN has to be somebody that can be answered. */
		uint32_t src = htonl(syn ? 0xc0000200 + 10 + draw_below(&seed, 240)
					 : 0x0a000000 | draw_below(&seed, 1u << 24));

		memcpy(f, p.at, sizeof(frames[0]));
		memcpy(f + 14 + 12, &src, sizeof(src));
		f[34] = (uint8_t)(1 + draw_below(&seed, 200));
		f[34 + 7] = (uint8_t)i;
		memset(f + 14 + 10, 0, 2);
		put_sum(f + 14 + 10, sum_of(f + 14, 20));
		memset(f + 34 + 16, 0, 2);
		put_sum(f + 34 + 16, sum_of(f + 14 + 12, 8) + 6 + 20 + sum_of(f + 34, 20));
		iov[i % BATCH] = (struct iovec){ f, sizeof(frames[0]) };
		msgs[i % BATCH].msg_hdr = (struct msghdr){ .msg_name = &to,
							   .msg_namelen = sizeof(to),
							   .msg_iov = &iov[i % BATCH],
							   .msg_iovlen = 1 };
		if (i % BATCH == BATCH - 1)
			sendmmsg(fd, msgs, BATCH, 0);
	}
	close(fd);
}

static pid_t start_strangers(const struct lab *lab, unsigned int n, bool syn)
{
	pid_t pid = fork();

	CHECK(pid >= 0, "fork");
	if (!pid) {
		strangers(lab, n, syn);
		_exit(0);
	}
	return pid;
}

/* accept() and read() of what it gives wait no longer than this. */
static int listener(const struct lab *lab, int family, int backlog)
{
	struct timeval patience = { .tv_sec = 10 * (long)test_slow() };
	int fd = far_listener(lab, family, PORT, backlog);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static int client(int family)
{
	struct timeval patience = { .tv_sec = 10 * (long)test_slow() };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage to;
	socklen_t len = far_address(&to, family, PORT);

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (!connect(fd, (struct sockaddr *)&to, len))
		return fd;
	close(fd);
	return -errno;
}

/* A byte there and back, so many times; how often it worked. */
static unsigned int converse(int fd, int far, unsigned int times)
{
	unsigned int n = 0;
	char c = 'x';

	while (n < times && write(fd, &c, 1) == 1 && read(far, &c, 1) == 1 &&
	       write(far, &c, 1) == 1 && read(fd, &c, 1) == 1)
		n++;
	return n;
}

/* At the far side, where this thread is. */
static void start_small(void)
{
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--enforce", "--table", "64", "-l",
			 "src 2 packets/m burst 2"),
	      "%s", a.err);
}

/* The table is far too small for a flood of strangers: who has a connection does not notice. */
SCENARIO(guard_strangers, 120)
{
	struct timeval patience = { .tv_sec = 10 * (long)test_slow() };
	unsigned int n = STRANGERS / test_slow();
	struct lab lab = { 0 };
	int server, near, far, status;
	pid_t flood;

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	start_small();
	server = listener(&lab, AF_INET, 16);
	/* It fills the table, and takes what all without an entry share. */
	strangers(&lab, 10000, false);
	lab_enter(&lab, LAB_FAR);
	stop(&lab);
	near = client(AF_INET);
	far = accept(server, NULL, NULL);
	CHECK(near > 0 && far > 0, "no connection without a guard");
	setsockopt(far, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	lab_enter(&lab, LAB_FAR);
	start_small();
	CHECK(!SONDE_RUN(&a, "guard", "ban", "203.0.113.9", "1h"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	strangers(&lab, 10000, false);
	flood = start_strangers(&lab, n, false);
	CHECK(converse(near, far, 100) == 100, "the flood takes a connection away");
	CHECK(waitpid(flood, &status, 0) == flood, "waitpid");
	lab_enter(&lab, LAB_FAR);
	CHECK(status_of("table full\"", "packets") > 1000, "the table is not full: %s", a.out);
	CHECK(status_of("table full: of known connections", "packets") >= 50, "%s", a.out);
	CHECK(status_of("entries, banned", "entries") == 1, "the ban is gone: %s", a.out);
	stop(&lab);
	expect_clean(&lab);
}

/* A listener's queue is full of strangers' SYNs; a client connects all the same. */
static void cookies(int family)
{
	struct lab lab = { 0 };
	int server, near, far, status;
	pid_t flood;
	char word;

	lab_ready(&lab);
	if (family == AF_INET6 && !lab.ipv6)
		SKIP("this kernel has no IPv6");
	/* What XDP sends back, veth takes only where there is a program, too. */
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0", "--in"), "%s", a.err);
	lab_enter(&lab, LAB_FAR);
	set_sysctl("net/ipv4/tcp_syncookies", "1");
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--at", "xdp", "--enforce",
			 "--syn-cookies", "-l", "src 1000 syns/s"),
	      "%s", a.err);
	if (!strstr(a.err, "xdp native"))
		SKIP("no native XDP on veth");
	server = listener(&lab, family, 2);
	flood = start_strangers(&lab, 300000 / test_slow(), true);
	nap_ms(100);
	near = client(family);
	CHECK(near > 0, "no connection: %s", strerror(-near));
	/* With a cookie nobody repeats what ends a handshake, if the flood takes it away: but a
	 * word is repeated, and does as well. */
	CHECK(write(near, "w", 1) == 1, "write");
	far = accept(server, NULL, NULL);
	CHECK(far > 0, "not accepted");
	CHECK(read(far, &word, 1) == 1, "the first word is lost");
	CHECK(converse(near, far, 10) == 10, "a connection without a word");
	kill(flood, SIGKILL);
	CHECK(waitpid(flood, &status, 0) == flood, "waitpid");
	lab_enter(&lab, LAB_FAR);
	CHECK(status_of("SYN cookies sent", "packets") > 100, "%s", a.out);
	stop(&lab);
	CHECK(!SONDE_RUN(&a, "detach", "-i", "sonde0"), "%s", a.err);
	expect_clean(&lab);
}

SCENARIO(guard_cookies, 120)
{
	cookies(AF_INET);
}

SCENARIO(guard_cookies_ipv6, 120)
{
	cookies(AF_INET6);
}

/* Incidents are told; whoever tells them may be killed. */
SCENARIO(guard_watched, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	silence(&lab);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "-l", "src 10 packets/s burst 10"),
	      "%s", a.err);
	SONDE_START(&b, "guard", "watch", "--json", "--quiet-time", "1s");
	sonde_await_err(&b, "watching 1 guard");
	lab_enter(&lab, LAB_NEAR);
	CHECK(!lab_udp(&lab, AF_INET, 1000, 10, true), "a dry run drops");
	sonde_await_out(&b, "\"event\":\"start\"");
	sonde_await_out(&b, "\"event\":\"end\"");
	CHECK(strstr(b.out, "\"mode\":\"dry run\"") && strstr(b.out, "\"source\":\"192.0.2.1\"") &&
		      strstr(b.out, "src 10 packets/s burst 10 limit"),
	      "%s", b.out);
	CHECK(JSON_SUM(b.out, "packets", "\"event\":\"end\"") >= 900, "%s", b.out);
	CHECK(sonde_stop(&b, SIGKILL) == 128 + SIGKILL, "it survived");
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "status"), "the guard went with its watcher");
	SONDE_START(&b, "guard", "watch");
	sonde_await_err(&b, "watching 1 guard");
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1"), "%s", a.err);
	CHECK(sonde_wait(&b) == 1 && strstr(b.err, "start watching again"), "%s", b.err);
	stop(&lab);
	expect_clean(&lab);
}

/* Whom it trusts may be a set, which is changed like those of rules. */
SCENARIO(guard_allows_sets, 60)
{
	const char *set = rules_file("trusted", "203.0.113.0/24\n192.0.2.1\n");
	const char *other = rules_file("other", "198.51.100.7\n");
	struct lab lab = { 0 };
	char allow[300], rule[300];

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	snprintf(allow, sizeof(allow), "src set %s and udp", set);
	snprintf(rule, sizeof(rule), "drop udp and src set %s", other);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--enforce", "-l",
			 "src 10 packets/m", "--allow", allow),
	      "%s", a.err);
	/* Numbers of maps are the guard's first, then the rules'. */
	FILTER(&a, "add", "-i", "sonde1", "--no-ssh", rule);
	FILTER(&a, "add", "-i", "sonde1", "--no-ssh", "allow icmp");
	lab_enter(&lab, LAB_NEAR);
	CHECK(!lab_udp(&lab, AF_INET, 100, 10, true), "allowed, yet limited");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "set", "list", "-i", "sonde1", set);
	CHECK(!strcmp(a.out, "192.0.2.1\n203.0.113.0/24\n"), "%s", a.out);
	FILTER(&a, "set", "list", "-i", "sonde1", other);
	CHECK(!strcmp(a.out, "198.51.100.7\n"), "%s", a.out);
	FILTER(&a, "set", "add", "-i", "sonde1", other, "192.0.2.1");
	lab_enter(&lab, LAB_NEAR);
	CHECK(lab_udp(&lab, AF_INET, 1, 10, true) == -ETIMEDOUT, "dropped by a rule, yet here");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "clear", "-i", "sonde1");
	lab_enter(&lab, LAB_NEAR);
	CHECK(!lab_udp(&lab, AF_INET, 100, 10, true), "allowed, yet limited");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "set", "del", "-i", "sonde1", set, "192.0.2.1");
	lab_enter(&lab, LAB_NEAR);
	CHECK(lab_udp(&lab, AF_INET, 100, 10, true) == -ETIMEDOUT,
	      "allowed no more, yet unlimited");
	lab_enter(&lab, LAB_FAR);
	stop(&lab);
	expect_clean(&lab);
}

/* Packets of an incident are in a file, whatever becomes of whoever asked for them. */
SCENARIO(guard_samples, 60)
{
	static const char at[] = "\"sample_file\":\"";
	char path[256] = "", dir[256];
	struct lab lab = { 0 };
	const char *name;

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--at", "xdp", "--enforce", "-l",
			 "src 10 packets/s burst 10"),
	      "%s", a.err);
	snprintf(dir, sizeof(dir), "%s", file_path("x"));
	*strrchr(dir, '/') = '\0';
	SONDE_START(&b, "guard", "watch", "--json", "-w", dir, "--quiet-time", "1s");
	sonde_await_err(&b, "watching");
	for (int i = 0; i < 200 && !strstr(b.out, at); i++) {
		lab_enter(&lab, LAB_NEAR);
		flood(&lab, 200, 100);
		sonde_poll(&b, 20);
	}
	name = strstr(b.out, at);
	CHECK(name && sscanf(name + strlen(at), "%255[^\"]", path) == 1, "no sample: %s%s", b.out,
	      b.err);
	flood(&lab, 1000, 100);
	CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
	CHECK(!SONDE_RUN(&a, "capture", "-r", path, "-n", "-c", "100"), "%s", a.err);
	CHECK(lines_of(a.out) > 10 && strstr(a.out, "sonde1 In  DROP IP 192.0.2.1"), "%s", a.out);
	lab_enter(&lab, LAB_FAR);
	CHECK(SONDE_RUN(&b, "guard", "watch", "-w", "/nowhere") == 1 && strstr(b.err, "not found"),
	      "%s", b.err);
	/* The sampler ends with whoever it is for, even if that is killed: it is ours then. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	SONDE_START(&b, "guard", "watch", "--json", "-w", dir);
	sonde_await_err(&b, "watching");
	CHECK(sonde_stop(&b, SIGKILL) == 128 + SIGKILL, "it survived");
	AWAIT(waitpid(-1, NULL, WNOHANG) > 0, "the sampler goes on");
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

/* What is wrong is said in one line, and what was there stays. */
SCENARIO(guard_mistakes, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde0", "-l", "src 7 packets/s"), "%s",
	      a.err);
	CHECK(SONDE_RUN(&a, "guard", "start", "-i", "sonde0", "-l", "7 apples/s") == 2, "%s",
	      a.err);
	CHECK(SONDE_RUN(&a, "guard", "start", "-i", "sonde0", "-f", "/nowhere") == 1, "%s", a.err);
	CHECK(SONDE_RUN(&a, "guard", "start", "-i", "nowhere") == 1, "%s", a.err);
	CHECK(SONDE_RUN(&a, "guard", "start", "-i", "sonde0", "--allow", "src frob") != 0, "%s",
	      a.err);
	CHECK(SONDE_RUN(&a, "guard", "ban", "192.0.2.300", "1h") == 2, "%s", a.err);
	CHECK(SONDE_RUN(&a, "guard", "unban", "192.0.2.3") == 1, "%s", a.err);
	CHECK(!SONDE_RUN(&a, "guard", "status"), "%s", a.err);
	CHECK(strstr(a.out, "src 7 packets/s burst 7 limit"), "%s", a.out);
	CHECK(!SONDE_RUN(&a, "guard", "stop", "-i", "sonde0"), "%s", a.err);
	CHECK(SONDE_RUN(&a, "guard", "stop", "-i", "sonde0") == 1, "stopped twice");
	expect_clean(&lab);
}
