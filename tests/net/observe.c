/* SPDX-License-Identifier: MIT */
/* Scenarios of the gate's observer: a capture after installed counters, with their verdict. */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include "tests/net/net.h"

static struct sonde a, b;

enum { PINGS = 3 };

/* On the far side, which receives the packets. */
static void install_gate(struct lab *lab)
{
	lab_ready(lab);
	lab_enter(lab, LAB_FAR);
	CHECK(!SONDE_RUN(&b, "count", "--install", "-i", "sonde1", "--at", "xdp"), "%s", b.err);
}

static void remove_gate(struct lab *lab)
{
	CHECK(!SONDE_RUN(&b, "detach", "--all"), "%s", b.err);
	lab_enter(lab, LAB_NEAR);
	expect_clean(lab);
}

static void start_observer(struct sonde *s)
{
	SONDE_START(s, "capture", "--json", "-i", "sonde1", "--at", "xdp", "-Q", "in", "icmp",
		    "and", "verdict", "pass");
	sonde_await_err(s, "after sonde's installed program");
}

static void send_pings(const struct lab *lab)
{
	lab_enter(lab, LAB_NEAR);
	CHECK(!lab_ping(lab, AF_INET, PINGS, 100), "cannot ping");
	lab_enter(lab, LAB_FAR);
}

static void expect_pings(struct sonde *s)
{
	AWAIT((sonde_poll(s, 10), lines_of(s->out) == PINGS), "%s%s", s->out, s->err);
	CHECK(strstr(s->out, "\"verdict\":\"pass\""), "%s", s->out);
}

/* Both see every packet, and the counters stay after the capture ends. */
SCENARIO(observe_installed, 30)
{
	struct lab lab = { 0 };

	install_gate(&lab);
	start_observer(&a);
	send_pings(&lab);
	expect_pings(&a);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	send_pings(&lab);
	CHECK(!SONDE_RUN(&b, "count", "--read", "--json"), "%s", b.err);
	CHECK(JSON_SUM(b.out, "packets", "\"protocol\":\"icmp\"", "\"direction\":\"in\"") ==
		      2 * PINGS,
	      "%s", b.out);
	remove_gate(&lab);
}

/* Only one observer at a time; its slot is free again however it ends. */
SCENARIO(observe_one_at_a_time, 30)
{
	struct lab lab = { 0 };

	install_gate(&lab);
	start_observer(&a);
	CHECK(SONDE_RUN(&b, "capture", "-i", "sonde1", "--at", "xdp") == 1, "%s", b.out);
	CHECK(strstr(b.err, "another capture"), "%s", b.err);
	CHECK(sonde_stop(&a, SIGKILL) == 128 + SIGKILL, "not killed: %s", a.err);
	start_observer(&a);
	send_pings(&lab);
	expect_pings(&a);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	remove_gate(&lab);
}
