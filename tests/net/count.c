/* SPDX-License-Identifier: MIT */
/* Scenarios of sonde count: exact on every CPU and at every hook, live, once, and installed. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lab/address.h"
#include "obj/feature.h"
#include "sys/netns.h"
#include "tests/net/net.h"
#include "tests/net/prom.h"

enum { PACKETS = 100000, LEN = 300, FRAME = 14 + 20 + 8 + LEN };

static struct sonde a, b;

static void expect_udp(const char *out, const char *interface, const char *dir, uint64_t packets)
{
	char name[64], direction[32];
	uint64_t got;

	snprintf(name, sizeof(name), "\"interface\":\"%s\"", interface);
	snprintf(direction, sizeof(direction), "\"direction\":\"%s\"", dir);
	got = JSON_SUM(out, "packets", name, direction, "\"family\":\"ipv4\"",
		       "\"protocol\":\"udp\"");
	CHECK(got == packets, "%s %s: %llu packets, expected %llu", interface, dir,
	      (unsigned long long)got, (unsigned long long)packets);
	got = JSON_SUM(out, "bytes", name, direction, "\"family\":\"ipv4\"",
		       "\"protocol\":\"udp\"");
	CHECK(got == packets * FRAME, "%s %s: %llu bytes, expected %llu", interface, dir,
	      (unsigned long long)got, (unsigned long long)packets * FRAME);
}

static void count_exactly(const char *at)
{
	unsigned int packets = PACKETS / test_slow();
	struct lab lab = { 0 };
	uint64_t arrived;

	lab_ready(&lab);
	lab_silence(&lab);
	lab_enter(&lab, LAB_FAR);
	SONDE_START(&a, "count", "--json", "--once", "-d", "1h", "-i", "sonde1", "--at", at,
		    "--in");
	lab_enter(&lab, LAB_NEAR);
	SONDE_START(&b, "count", "--json", "--once", "-d", "1h", "-i", "sonde0", "--at", at);
	sonde_await_err(&a, "in: ");
	sonde_await_err(&b, "out: ");
	arrived = flood_across(&lab, packets, LEN);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
	expect_udp(b.out, "sonde0", "out", packets);
	CHECK(arrived > packets / 2, "the pair dropped %llu packets: the flood is too fast",
	      (unsigned long long)(packets - arrived));
	expect_udp(a.out, "sonde1", "in", arrived);
	expect_clean(&lab);
}

SCENARIO(count_exact_xdp_native, 60)
{
	count_exactly("xdp-native");
}

SCENARIO(count_exact_xdp_generic, 60)
{
	count_exactly("xdp-generic");
}

SCENARIO(count_exact_tcx, 60)
{
	if (feature_try("tcx"))
		SKIP("this kernel has no tcx");
	count_exactly("tcx");
}

SCENARIO(count_exact_clsact, 60)
{
	count_exactly("clsact");
}

SCENARIO(count_exact_default, 60)
{
	count_exactly("xdp");
}

SCENARIO(count_exact_tc, 60)
{
	count_exactly("tc");
}

static void count_installed(const char *at)
{
	unsigned int packets = PACKETS / test_slow();
	struct lab lab = { 0 };
	uint64_t arrived;

	lab_ready(&lab);
	lab_silence(&lab);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0", "--at", at), "%s", a.err);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde1", "--at", at), "%s", a.err);
	lab_enter(&lab, LAB_NEAR);
	arrived = flood_across(&lab, packets, LEN);
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	expect_udp(a.out, "sonde0", "out", packets);
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "count", "--read", "-i", "sonde1", "--json"), "%s", a.err);
	expect_udp(a.out, "sonde1", "in", arrived);
	/* Installing again changes and loses nothing. */
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde1", "--at", at), "%s", a.err);
	CHECK(strstr(a.err, "installed already"), "%s", a.err);
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	expect_udp(a.out, "sonde1", "in", arrived);
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
	CHECK(SONDE_RUN(&a, "count", "--read") == 1, "counters still exist");
	lab_enter(&lab, LAB_NEAR);
	CHECK(!SONDE_RUN(&a, "detach", "-i", "sonde0"), "%s", a.err);
	expect_clean(&lab);
}

SCENARIO(count_installed_xdp, 60)
{
	count_installed("xdp");
}

SCENARIO(count_installed_tc, 60)
{
	count_installed("tc");
}

SCENARIO(count_installed_clsact, 60)
{
	count_installed("clsact");
}

/* New interfaces are counted, removed ones reported, when all are counted. */
SCENARIO(count_follows, 30)
{
	struct lab lab = { 0 }, late = { 0 };
	int near;

	lab_ready(&lab);
	near = lab.end[LAB_NEAR].netns;
	SONDE_START(&a, "count", "--json", "-I", "50ms");
	sonde_await_err(&a, "sonde0: in: ");
	CHECK(!link_add_veth(&lab.end[LAB_NEAR].nl, "late0", "late1", near),
	      "cannot create another pair");
	CHECK(!link_get(&lab.end[LAB_NEAR].nl, "late0", 0, &late.end[0].link), "cannot find late0");
	CHECK(!link_get(&lab.end[LAB_NEAR].nl, "late1", 0, &late.end[1].link), "cannot find late1");
	CHECK(!link_up(&lab.end[LAB_NEAR].nl, late.end[0].link.ifindex), "cannot bring late0 up");
	sonde_await_err(&a, "late0: in: ");
	CHECK(!link_up(&lab.end[LAB_NEAR].nl, late.end[1].link.ifindex), "cannot bring late1 up");
	sonde_await_err(&a, "late1: in: ");
	CHECK(!link_del(&lab.end[LAB_NEAR].nl, late.end[0].link.ifindex), "cannot delete late0");
	sonde_await_err(&a, "late0: the interface is gone");
	sonde_await_err(&a, "late1: the interface is gone");
	CHECK(!lab_udp(&lab, 2 /* AF_INET */, 10, LEN, true), "cannot send");
	sonde_await_out(&a, "\"interface\":\"sonde0\",\"direction\":\"in\"");
	CHECK(!sonde_stop(&a, SIGTERM), "%s", a.err);
	expect_clean(&lab);
}

static void stop_and_wait(const struct sonde *s)
{
	int status;

	CHECK(!kill(s->pid, SIGSTOP) && waitpid(s->pid, &status, WUNTRACED) == s->pid &&
		      WIFSTOPPED(status),
	      "does not stop: %s", strerror(errno));
}

static void move_link(struct nl *nl, int ifindex, int netns)
{
	struct ifinfomsg ifi = { .ifi_index = ifindex };
	struct nl_msg m;

	nl_begin(&m, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	nl_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)netns);
	CHECK(!nl_call(nl, &m, NULL, NULL), "cannot move an interface: %s", nl->ext_ack);
}

static void await_return(struct sonde *s)
{
	const char *before;

	kill(s->pid, SIGCONT);
	sonde_await_err(s, "sonde0: the interface is gone");
	before = strstr(s->err, "the interface is gone");
	while (!strstr(before, "sonde0: in: "))
		CHECK(sonde_poll(s, 2000), "does not attach again: %s", s->err);
}

/* An interface that was in another namespace for a moment has lost its programs. count, with the
 * interface named twice, and capture attach again. */
SCENARIO(count_returns, 30)
{
	struct lab lab = { 0 };
	struct lab_end *near = &lab.end[LAB_NEAR];
	struct nl elsewhere = { 0 };
	struct in_addr ip;
	int netns;

	lab_ready(&lab);
	CHECK(!netns_unshare() && !nl_open(&elsewhere, 0), "cannot create another namespace");
	netns = netns_current();
	lab_enter(&lab, LAB_NEAR);
	SONDE_START(&a, "count", "--json", "--once", "-d", "1h", "-i", "sonde0", "-i", "sonde0");
	SONDE_START(&b, "capture", "-i", "sonde0", "-w", "/dev/null", "udp port 4242");
	sonde_await_err(&a, "sonde0: in: ");
	sonde_await_err(&b, "sonde0: in: ");
	CHECK(!lab_udp(&lab, AF_INET, 7, LEN, true), "cannot send before");
	stop_and_wait(&a);
	stop_and_wait(&b);
	move_link(&near->nl, near->link.ifindex, netns);
	move_link(&elsewhere, near->link.ifindex, near->netns);
	inet_pton(AF_INET, lab_address(LAB_NEAR, AF_INET), &ip);
	CHECK(!link_up(&near->nl, near->link.ifindex) &&
		      !link_add_addr(&near->nl, near->link.ifindex, AF_INET, &ip, 24),
	      "cannot move back: %s", near->nl.ext_ack);
	await_return(&a);
	await_return(&b);
	CHECK(!lab_udp(&lab, AF_INET, 11, LEN, true), "cannot send after");
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	expect_udp(a.out, "sonde0", "in", 7 + 11);
	expect_udp(a.out, "sonde0", "out", 7 + 11);
	CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
	CHECK(sonde_number(&b, "packets captured") == 2 * (7 + 11), "%s", b.err);
	expect_clean(&lab);
}

/* More events than the netlink socket can hold: count rereads the list of interfaces. */
SCENARIO(count_overrun, 30)
{
	struct lab lab = { 0 };
	struct nl *nl = &lab.end[LAB_NEAR].nl;
	struct link late;

	lab_ready(&lab);
	SONDE_START(&a, "count", "--json", "-I", "50ms");
	sonde_await_err(&a, "sonde0: in: ");
	stop_and_wait(&a);
	CHECK(!link_add_veth(nl, "late0", "late1", lab.end[LAB_NEAR].netns),
	      "cannot create another pair");
	CHECK(!link_get(nl, "late0", 0, &late), "cannot find late0");
	for (int i = 0; i < 300; i++) {
		struct ifinfomsg ifi = { .ifi_index = late.ifindex, .ifi_change = IFF_UP };
		struct nl_msg m;

		ifi.ifi_flags = i % 2 ? 0 : IFF_UP;
		nl_begin(&m, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
		CHECK(!nl_call(nl, &m, NULL, NULL), "cannot change late0: %s", nl->ext_ack);
	}
	CHECK(!link_up(nl, late.ifindex), "cannot bring late0 up");
	kill(a.pid, SIGCONT);
	sonde_await_err(&a, "late0: in: ");
	CHECK(!link_del(nl, late.ifindex), "cannot delete late0");
	sonde_await_err(&a, "late0: the interface is gone");
	CHECK(!sonde_stop(&a, SIGTERM), "%s", a.err);
	expect_clean(&lab);
}

/* Starts without interfaces; the confined process attaches to later ones. */
SCENARIO(count_without_interfaces, 30)
{
	struct lab lab = { 0 };

	CHECK(!lab_open(&lab), "cannot create the lab");
	SONDE_START(&a, "count", "-I", "50ms");
	sonde_await_out(&a, "0 interfaces");
	CHECK(!lab_up(&lab), "cannot bring the lab up");
	sonde_await_err(&a, "sonde0: in: ");
	CHECK(hooks_of(&lab.end[LAB_NEAR]).ours == 2, "expected two programs: %s", a.err);
	CHECK(sonde_stop(&a, SIGKILL) == 128 + SIGKILL, "not killed");
	expect_clean(&lab);
}

/* Two live counts: the second counts at tc, and continues after the first ends. */
SCENARIO(count_two_at_once, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	SONDE_START(&a, "count", "--json", "--once", "-d", "1h", "-i", "sonde0");
	sonde_await_err(&a, "sonde0: in: xdp");
	CHECK(!lab_udp(&lab, 2, 7, LEN, true), "cannot send before");
	SONDE_START(&b, "count", "--json", "--once", "-d", "1h", "-i", "sonde0");
	sonde_await_err(&b, "a running sonde uses XDP; counting incoming packets at tc");
	sonde_await_err(&b, "out: ");
	CHECK(!lab_udp(&lab, 2, 11, LEN, true), "cannot send with both");
	CHECK(sonde_stop(&a, SIGKILL) == 128 + SIGKILL, "the first was not killed: %s", a.err);
	CHECK(!lab_udp(&lab, 2, 5, LEN, true), "cannot send with the second only");
	CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
	expect_udp(b.out, "sonde0", "in", 16);
	expect_udp(b.out, "sonde0", "out", 16);
	expect_clean(&lab);
}

/* A live count that reads the installed gate attaches its own after a detach. */
SCENARIO(count_outlives_installed, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0", "--in"), "%s", a.err);
	SONDE_START(&b, "count", "--json", "--once", "-d", "1h", "-i", "sonde0");
	sonde_await_err(&b, "out: ");
	CHECK(!lab_udp(&lab, 2, 10, LEN, true), "cannot send with the installed gate");
	CHECK(!SONDE_RUN(&a, "detach", "-i", "sonde0"), "%s", a.err);
	sonde_await_err(&b, "the installed program was detached");
	sonde_await_err(&b, "sonde0: in: xdp");
	CHECK(!lab_udp(&lab, 2, 5, LEN, true), "cannot send with its own gate");
	CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
	expect_udp(b.out, "sonde0", "out", 15);
	expect_udp(b.out, "sonde0", "in", 15);
	expect_clean(&lab);
}

/* Each hook and direction is installed separately. */
SCENARIO(count_installs, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0", "--in"), "%s", a.err);
	SONDE_RUN(&a, "count", "--install", "-i", "sonde0", "--in", "--at", "tc");
	sonde_expect_line(&a, 1, "other options");
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0", "--out"), "%s", a.err);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0"), "%s", a.err);
	CHECK(strstr(a.err, "installed already"), "%s", a.err);
	CHECK(!lab_udp(&lab, 2, 9, LEN, true), "cannot send");
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	expect_udp(a.out, "sonde0", "in", 9);
	expect_udp(a.out, "sonde0", "out", 9);
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
	expect_clean(&lab);
}

/* A live count next to an installed one starts at zero and does not change it. */
SCENARIO(count_beside_installed, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0"), "%s", a.err);
	CHECK(!lab_udp(&lab, 2, 20, LEN, true), "cannot send");
	SONDE_START(&b, "count", "--json", "--once", "-d", "1h", "-i", "sonde0");
	sonde_await_err(&b, "out: ");
	CHECK(!lab_udp(&lab, 2, 30, LEN, true), "cannot send");
	CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
	expect_udp(b.out, "sonde0", "in", 30);
	expect_udp(b.out, "sonde0", "out", 30);
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	expect_udp(a.out, "sonde0", "in", 50);
	expect_udp(a.out, "sonde0", "out", 50);
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
	expect_clean(&lab);
}

/* The namespace of another process, by its pid and by a path. */
SCENARIO(count_netns, 30)
{
	struct lab lab = { 0 };
	char pid[16], path[64];

	lab_ready(&lab);
	snprintf(pid, sizeof(pid), "%d", getpid());
	snprintf(path, sizeof(path), "/proc/%d/ns/net", getpid());
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0"), "%s", a.err);
	CHECK(!lab_udp(&lab, 2, 10, LEN, true), "cannot send");
	lab_enter(&lab, LAB_FAR); /* this process is now in the far namespace */
	CHECK(!SONDE_RUN(&a, "count", "--once", "-d", "10ms", "-i", "sonde1", "--netns", pid), "%s",
	      a.err);
	CHECK(SONDE_RUN(&a, "count", "--once", "-d", "10ms", "-i", "sonde0", "--netns", pid) == 1,
	      "counted in another namespace");
	lab_enter(&lab, LAB_NEAR);
	if (!access(path, R_OK))
		CHECK(!SONDE_RUN(&a, "count", "--read", "--json", "--netns", path), "%s", a.err);
	else
		CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	expect_udp(a.out, "sonde0", "in", 10);
	SONDE_RUN(&a, "count", "--netns", "/nowhere/at/all");
	sonde_expect_line(&a, 1, "/nowhere/at/all");
	CHECK(SONDE_RUN(&a, "count", "--netns", "4194300") == 1, "accepts a missing process");
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
}

/* All three formats print the same numbers. */
SCENARIO(count_formats, 30)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "sonde0"), "%s", a.err);
	CHECK(!lab_udp(&lab, 2, 12, LEN, true), "cannot send");
	CHECK(!SONDE_RUN(&a, "count", "--read", "-o", "prom"), "%s", a.err);
	CHECK(strstr(a.out, "# TYPE sonde_interface_packets_total counter\n"), "%s", a.out);
	CHECK(strstr(a.out, "direction=\"in\""), "%s", a.out);
	CHECK(strstr(a.out, "verdict=\"pass\"} 12\n"), "%s", a.out);
	expect_prom(a.out);
	CHECK(!SONDE_RUN(&a, "count", "--read"), "%s", a.err);
	CHECK(!strncmp(a.out, "iface ", 6) && strstr(a.out, " udp "), "%s", a.out);
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
}

/* A live count drops its privileges after attaching. */
SCENARIO(count_confined, 30)
{
	struct lab lab = { 0 };

	if (getenv("SAN") && *getenv("SAN"))
		SKIP("a build with sanitizers is not confined");
	lab_ready(&lab);
	SONDE_START(&a, "count", "-I", "10ms", "-i", "sonde0");
	sonde_await_out(&a, "iface");
	/* CAP_NET_ADMIN is bit 12, CAP_PERFMON 38, CAP_BPF 39. */
	sonde_expect_confined(&a, 0xc000001000);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
}
