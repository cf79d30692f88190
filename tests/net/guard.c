/* SPDX-License-Identifier: MIT */
/* Scenarios of sonde guard: limits and bans on real packets, floods from spoofed sources. */
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

enum { PORT = 8080, SPOOFED = 1000000, BATCH = 64 };

static struct sonde a, b;

static uint64_t status_of(const char *what, const char *member)
{
	char text[96];

	CHECK(!SONDE_RUN(&a, "guard", "status", "--json"), "%s", a.err);
	snprintf(text, sizeof(text), "\"what\":\"%s", what);
	return JSON_SUM(a.out, member, text);
}

/* Stops the far side's guard and returns to the near side. */
static void stop_guard(struct lab *lab)
{
	CHECK(!SONDE_RUN(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
	lab_enter(lab, LAB_NEAR);
}

static void check_limit(const char *at)
{
	unsigned int packets = 100000 / test_slow();
	struct lab lab = { 0 };
	uint64_t arrived, start, ns, accepted, want;

	lab_ready(&lab);
	lab_silence(&lab);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--at", at, "--enforce", "-l",
			 "src 2000 packets/s burst 1000"),
	      "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	start = clock_mono();
	arrived = flood_across(&lab, packets, 300);
	ns = clock_mono() - start;
	lab_enter(&lab, LAB_FAR);
	accepted = arrived - status_of("src 2000", "packets");
	want = 1000 + 2000 * ns / NS_PER_S;
	CHECK(accepted <= want + want / 100, "%llu accepted, expected at most %llu",
	      (unsigned long long)accepted, (unsigned long long)want);
	CHECK(accepted >= 1000 || accepted == arrived, "%llu accepted: less than the burst",
	      (unsigned long long)accepted);
	CHECK(!SONDE_RUN(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
	CHECK(SONDE_RUN(&a, "guard", "status") == 1, "a guard still exists");
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

SCENARIO(guard_limits_xdp, 60)
{
	check_limit("xdp");
}

SCENARIO(guard_limits_tc, 60)
{
	check_limit("tc");
}

/* Manual bans, which outlive a change of the limits. */
SCENARIO(guard_bans, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--enforce"), "%s", a.err);
	CHECK(!SONDE_RUN(&a, "guard", "ban", "192.0.2.1", "1h"), "%s", a.err);
	CHECK(!SONDE_RUN(&a, "guard", "ban", "2001:db8::/64", "1h"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	CHECK(lab_udp(&lab, AF_INET, 1, 10, true) == -ETIMEDOUT, "a banned source is answered");
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--enforce", "-l",
			 "src 50 packets/s", "-l", "dst 1000 packets/s count"),
	      "%s", a.err);
	CHECK(!SONDE_RUN(&a, "guard", "list", "--json"), "%s", a.err);
	CHECK(lines_of(a.out) == 2 && strstr(a.out, "\"192.0.2.1\"") &&
		      strstr(a.out, "\"2001:db8::/64\""),
	      "%s", a.out);
	/* Rules on the same interface do not affect the guard. */
	CHECK(!SONDE_RUN(&a, "filter", "add", "-i", "sonde1", "--no-ssh", "drop", "udp", "port",
			 "9"),
	      "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	CHECK(lab_udp(&lab, AF_INET, 1, 10, true) == -ETIMEDOUT, "a banned source is answered");
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "unban", "192.0.2.1"), "%s", a.err);
	CHECK(SONDE_RUN(&a, "guard", "unban", "192.0.2.1") == 1, "unbanned twice");
	lab_enter(&lab, LAB_NEAR);
	CHECK(!lab_udp(&lab, AF_INET, 1, 10, true), "an unbanned source is not answered");
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
	CHECK(!SONDE_RUN(&a, "filter", "list"), "%s", a.err);
	CHECK(strstr(a.out, "udp port 9"), "stopping the guard removed the rules: %s", a.out);
	CHECK(!SONDE_RUN(&a, "filter", "clear", "-i", "sonde1"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

/* Allowed packets are not limited, others are. */
SCENARIO(guard_allows, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--enforce", "-l",
			 "src 1 packets/m ban 1h", "--allow", "src host 192.0.2.1 and udp"),
	      "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	CHECK(!lab_udp(&lab, AF_INET, 100, 10, true), "allowed packets are limited");
	CHECK(lab_ping(&lab, AF_INET, 5, 10) == -ETIMEDOUT, "other packets are not limited");
	CHECK(!lab_udp(&lab, AF_INET, 10, 10, true), "allowed packets are banned");
	lab_enter(&lab, LAB_FAR);
	CHECK(status_of("allowed", "packets") >= 110, "%s", a.out);
	CHECK(!SONDE_RUN(&a, "detach", "-i", "sonde1"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

/* Makes a TCP packet to the far side; send_spoofed() sets addresses and ports. */
static void make_spoofed(struct packet *p, const struct lab *lab, bool syn)
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

/* Sends one packet from each of n spoofed sources. */
static void send_spoofed(const struct lab *lab, unsigned int n, bool syn)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = lab->end[LAB_NEAR].link.ifindex };
	static uint8_t frames[BATCH][54];
	struct mmsghdr msgs[BATCH] = { 0 };
	struct iovec iov[BATCH];
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct packet p;
	uint64_t seed = 99;

	make_spoofed(&p, lab, syn);
	for (unsigned int i = 0; i < n; i++) {
		uint8_t *f = frames[i % BATCH];
		/* The source of a SYN must be a valid unicast address. */
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

static pid_t start_spoofed(const struct lab *lab, unsigned int n, bool syn)
{
	pid_t pid = fork();

	CHECK(pid >= 0, "fork");
	if (!pid) {
		send_spoofed(lab, n, syn);
		_exit(0);
	}
	return pid;
}

/* Opens a listener whose accept() and accepted sockets' read() have a timeout. */
static int open_listener(const struct lab *lab, int family, int backlog)
{
	struct timeval timeout = { .tv_sec = 10 * (long)test_slow() };
	int fd = far_listener(lab, family, PORT, backlog);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return fd;
}

static int connect_client(int family)
{
	struct timeval timeout = { .tv_sec = 10 * (long)test_slow() };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage to;
	socklen_t len = far_address(&to, family, PORT);

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (!connect(fd, (struct sockaddr *)&to, len))
		return fd;
	close(fd);
	return -errno;
}

/* Sends and returns a byte, the given number of times. Returns how many succeeded. */
static unsigned int count_echoes(int fd, int far, unsigned int times)
{
	unsigned int n = 0;
	char c = 'x';

	while (n < times && write(fd, &c, 1) == 1 && read(far, &c, 1) == 1 &&
	       write(far, &c, 1) == 1 && read(fd, &c, 1) == 1)
		n++;
	return n;
}

/* Starts a guard with a small table; the thread is on the far side. */
static void start_small_guard(void)
{
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--enforce", "--table", "64", "-l",
			 "src 2 packets/m burst 2"),
	      "%s", a.err);
}

/* A flood from spoofed sources fills the small table: existing connections are not affected. */
SCENARIO(guard_spoofed_flood, 120)
{
	struct timeval timeout = { .tv_sec = 10 * (long)test_slow() };
	unsigned int n = SPOOFED / test_slow();
	struct lab lab = { 0 };
	int server, near, far, status;
	pid_t lab_flood;

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	start_small_guard();
	server = open_listener(&lab, AF_INET, 16);
	/* Fills the table and uses up the limit that sources without an entry share. */
	send_spoofed(&lab, 10000, false);
	lab_enter(&lab, LAB_FAR);
	stop_guard(&lab);
	near = connect_client(AF_INET);
	far = accept(server, NULL, NULL);
	CHECK(near > 0 && far > 0, "cannot connect without a guard");
	setsockopt(far, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	lab_enter(&lab, LAB_FAR);
	start_small_guard();
	CHECK(!SONDE_RUN(&a, "guard", "ban", "203.0.113.9", "1h"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	send_spoofed(&lab, 10000, false);
	lab_flood = start_spoofed(&lab, n, false);
	CHECK(count_echoes(near, far, 100) == 100, "the flood breaks a connection");
	CHECK(waitpid(lab_flood, &status, 0) == lab_flood, "waitpid");
	lab_enter(&lab, LAB_FAR);
	CHECK(status_of("table full\"", "packets") > 1000, "the table is not full: %s", a.out);
	CHECK(status_of("table full: of known connections", "packets") >= 50, "%s", a.out);
	CHECK(status_of("entries, banned", "entries") == 1, "the ban is lost: %s", a.out);
	stop_guard(&lab);
	expect_clean(&lab);
}

/* Spoofed SYNs fill a listener's queue; a client can still connect. */
static void check_cookies(int family)
{
	struct lab lab = { 0 };
	int server, near, far, status;
	pid_t lab_flood;
	char word;

	lab_ready(&lab);
	if (family == AF_INET6 && !lab.ipv6)
		SKIP("this kernel has no IPv6");
	/* veth delivers XDP_TX packets only if the peer has an XDP program, too. */
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0", "--in"), "%s", a.err);
	lab_enter(&lab, LAB_FAR);
	set_sysctl("net/ipv4/tcp_syncookies", "1");
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "--at", "xdp", "--enforce",
			 "--syn-cookies", "-l", "src 1000 syns/s"),
	      "%s", a.err);
	if (!strstr(a.err, "xdp native"))
		SKIP("no native XDP on veth");
	server = open_listener(&lab, family, 2);
	lab_flood = start_spoofed(&lab, 300000 / test_slow(), true);
	nap_ms(100);
	near = connect_client(family);
	CHECK(near > 0, "cannot connect: %s", strerror(-near));
	/* With a cookie, nobody repeats a lost last ACK of the handshake; but data is repeated and
	 * completes it, too. */
	CHECK(write(near, "w", 1) == 1, "write");
	far = accept(server, NULL, NULL);
	CHECK(far > 0, "not accepted");
	CHECK(read(far, &word, 1) == 1, "the first byte is lost");
	CHECK(count_echoes(near, far, 10) == 10, "the connection does not work");
	lab_enter(&lab, LAB_FAR);
	AWAIT(status_of("SYN cookies sent", "packets") > 100, "%s", a.out);
	kill(lab_flood, SIGKILL);
	CHECK(waitpid(lab_flood, &status, 0) == lab_flood, "waitpid");
	stop_guard(&lab);
	CHECK(!SONDE_RUN(&a, "detach", "-i", "sonde0"), "%s", a.err);
	expect_clean(&lab);
}

SCENARIO(guard_cookies, 120)
{
	check_cookies(AF_INET);
}

SCENARIO(guard_cookies_ipv6, 120)
{
	check_cookies(AF_INET6);
}

/* Incidents are reported; killing the watcher does not stop the guard. */
SCENARIO(guard_watched, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_silence(&lab);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1", "-l", "src 10 packets/s burst 10"),
	      "%s", a.err);
	SONDE_START(&b, "guard", "watch", "--json", "--quiet-time", "1s");
	sonde_await_err(&b, "watching 1 guard");
	lab_enter(&lab, LAB_NEAR);
	CHECK(!lab_udp(&lab, AF_INET, 1000, 10, true), "the dry run drops");
	sonde_await_out(&b, "\"event\":\"start\"");
	sonde_await_out(&b, "\"event\":\"end\"");
	CHECK(strstr(b.out, "\"mode\":\"dry run\"") && strstr(b.out, "\"source\":\"192.0.2.1\"") &&
		      strstr(b.out, "src 10 packets/s burst 10 limit"),
	      "%s", b.out);
	CHECK(JSON_SUM(b.out, "packets", "\"event\":\"end\"") >= 900, "%s", b.out);
	CHECK(sonde_stop(&b, SIGKILL) == 128 + SIGKILL, "not killed");
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "status"), "killing the watcher stopped the guard");
	SONDE_START(&b, "guard", "watch");
	sonde_await_err(&b, "watching 1 guard");
	CHECK(!SONDE_RUN(&a, "guard", "start", "-i", "sonde1"), "%s", a.err);
	CHECK(sonde_wait(&b) == 1 && strstr(b.err, "run sonde guard watch again"), "%s", b.err);
	stop_guard(&lab);
	expect_clean(&lab);
}

/* Allowed sources may be a set, which is changed like those of rules. */
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
	/* Map indexes: the guard's sets come first, then those of the rules. */
	FILTER(&a, "add", "-i", "sonde1", "--no-ssh", rule);
	FILTER(&a, "add", "-i", "sonde1", "--no-ssh", "allow icmp");
	lab_enter(&lab, LAB_NEAR);
	CHECK(!lab_udp(&lab, AF_INET, 100, 10, true), "allowed packets are limited");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "set", "list", "-i", "sonde1", set);
	CHECK(!strcmp(a.out, "192.0.2.1\n203.0.113.0/24\n"), "%s", a.out);
	FILTER(&a, "set", "list", "-i", "sonde1", other);
	CHECK(!strcmp(a.out, "198.51.100.7\n"), "%s", a.out);
	FILTER(&a, "set", "add", "-i", "sonde1", other, "192.0.2.1");
	lab_enter(&lab, LAB_NEAR);
	CHECK(lab_udp(&lab, AF_INET, 1, 10, true) == -ETIMEDOUT, "a rule does not drop");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "clear", "-i", "sonde1");
	lab_enter(&lab, LAB_NEAR);
	CHECK(!lab_udp(&lab, AF_INET, 100, 10, true), "allowed packets are limited");
	lab_enter(&lab, LAB_FAR);
	FILTER(&a, "set", "del", "-i", "sonde1", set, "192.0.2.1");
	lab_enter(&lab, LAB_NEAR);
	CHECK(lab_udp(&lab, AF_INET, 100, 10, true) == -ETIMEDOUT,
	      "packets are no longer allowed, but not limited");
	lab_enter(&lab, LAB_FAR);
	stop_guard(&lab);
	expect_clean(&lab);
}

/* Packets of an incident are in a file, even if the watcher is killed. */
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
		lab_flood(&lab, 200, 100);
		sonde_poll(&b, 20);
	}
	name = strstr(b.out, at);
	CHECK(name && sscanf(name + strlen(at), "%255[^\"]", path) == 1, "no sample file: %s%s",
	      b.out, b.err);
	lab_flood(&lab, 1000, 100);
	CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
	CHECK(!SONDE_RUN(&a, "capture", "-r", path, "-n", "-c", "100"), "%s", a.err);
	CHECK(lines_of(a.out) > 10 && strstr(a.out, "sonde1 In  DROP IP 192.0.2.1"), "%s", a.out);
	lab_enter(&lab, LAB_FAR);
	CHECK(SONDE_RUN(&b, "guard", "watch", "-w", "/nowhere") == 1 && strstr(b.err, "not found"),
	      "%s", b.err);
	/* The sampler ends with the watcher, even if that is killed; it is then this process's
	 * child. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	SONDE_START(&b, "guard", "watch", "--json", "-w", dir);
	sonde_await_err(&b, "watching");
	CHECK(sonde_stop(&b, SIGKILL) == 128 + SIGKILL, "not killed");
	AWAIT(waitpid(-1, NULL, WNOHANG) > 0, "the sampler does not end");
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "guard", "stop", "-i", "sonde1"), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	expect_clean(&lab);
}

/* Mistakes are reported in one line and change nothing. */
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
