/* SPDX-License-Identifier: MIT */
/* Scenarios of a machine without modules: only loopback exists. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "obj/feature.h"
#include "sys/link.h"
#include "sys/netns.h"
#include "tests/net/net.h"

enum { PACKETS = 100, LEN = 300 };

static struct sonde a;

/* Enters a new namespace with its loopback up. */
static void own_loopback(void)
{
	struct nl nl = { 0 };
	struct link lo;

	CHECK(!netns_unshare() && !nl_open(&nl, 0), "cannot create a namespace");
	CHECK(!link_get(&nl, "lo", 0, &lo) && !link_up(&nl, lo.ifindex),
	      "cannot bring loopback up");
	nl_close(&nl);
}

/* Sends datagrams to a socket of its own, which reads them, so that none is dropped or answered. */
static void send_to_self(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char buf[LEN] = "";
	socklen_t len = sizeof(at);

	CHECK(fd >= 0 && !bind(fd, (void *)&at, sizeof(at)), "socket: %s", strerror(errno));
	CHECK(!getsockname(fd, (void *)&at, &len), "getsockname: %s", strerror(errno));
	for (int i = 0; i < PACKETS; i++) {
		CHECK(sendto(fd, buf, LEN, 0, (void *)&at, sizeof(at)) == LEN, "cannot send: %s",
		      strerror(errno));
		CHECK(recv(fd, buf, LEN, 0) == LEN, "cannot receive: %s", strerror(errno));
	}
	close(fd);
}

static void expect_udp(const char *dir)
{
	CHECK(JSON_SUM(a.out, "packets", dir, "\"udp\"") == PACKETS, "%s", a.out);
	CHECK(JSON_SUM(a.out, "bytes", dir, "\"udp\"") == PACKETS * (14 + 20 + 8 + LEN), "%s",
	      a.out);
}

SCENARIO(loopback_count_in, 30)
{
	own_loopback();
	SONDE_START(&a, "count", "--json", "--once", "-d", "1h", "-i", "lo", "--in");
	sonde_await_err(&a, "in: ");
	send_to_self();
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	expect_udp("\"in\"");
}

/* Outgoing packets need tcx or a qdisc that may be a module: without both, one line names it. */
SCENARIO(loopback_count_both, 30)
{
	own_loopback();
	SONDE_START(&a, "count", "--json", "--once", "-d", "2s", "-i", "lo");
	while (sonde_poll(&a, 10) && !strstr(a.err, "out: ") && !strstr(a.err, "cannot"))
		;
	if (!strstr(a.err, "out: ")) {
		CHECK(sonde_wait(&a) == 1 && lines_of(a.err) == 1, "%d %s", a.rc, a.err);
		CHECK(strstr(a.err, "modprobe sch_ingress"), "%s", a.err);
		SKIP("this kernel has no tcx, and no sch_ingress loaded");
	}
	send_to_self();
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	expect_udp("\"in\"");
	expect_udp("\"out\"");
}

SCENARIO(loopback_installed, 30)
{
	own_loopback();
	CHECK(!SONDE_RUN(&a, "count", "--install", "-i", "lo", "--in"), "%s", a.err);
	send_to_self();
	CHECK(!SONDE_RUN(&a, "count", "--read", "--json"), "%s", a.err);
	expect_udp("\"in\"");
	CHECK(!SONDE_RUN(&a, "status"), "%s", a.err);
	CHECK(strstr(a.out, "sonde_gate_xdp"), "%s", a.out);
	CHECK(!SONDE_RUN(&a, "detach", "--all"), "%s", a.err);
	CHECK(SONDE_RUN(&a, "count", "--read") == 1, "counters still exist: %s", a.out);
}

/* A command that needs a veth pair reports that in one line. */
SCENARIO(loopback_demo, 30)
{
	SONDE_RUN(&a, "demo", "-q", "-d", "100ms");
	if (a.rc)
		sonde_expect_line(&a, 1, "modprobe veth");
	else
		CHECK(strstr(a.out, "all counts match"), "%s", a.out);
}

/* Without modules, a kernel before tcx has no hook for outgoing packets: doctor fails, and says
 * why. */
SCENARIO(loopback_doctor, 30)
{
	static const char outgoing[] = "\"capability\":\"count outgoing, tc\",\"available\":true";

	SONDE_RUN(&a, "doctor", "--json");
	CHECK(strstr(a.out, "\"capability\":\"count incoming\",\"available\":true"), "%s", a.out);
	if (strstr(a.out, outgoing))
		CHECK(!a.rc, "%s", a.err);
	else
		sonde_expect_line(&a, 1,
				  "capabilities that count, capture, filter and status need");
}
