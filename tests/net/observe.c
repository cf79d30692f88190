/* SPDX-License-Identifier: MIT */
/* Scenarios of the gate's observer: a capture behind installed counters, with their verdict. */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include "tests/net/net.h"

static struct sonde a, b;

enum { PINGS = 3 };

/* On the far side, where packets come in from the pair. */
static void install(struct lab *lab)
{
	lab_ready(lab);
	lab_enter(lab, LAB_FAR);
	CHECK(!SONDE_RUN(&b, "count", "--install", "-i", "sonde1", "--at", "xdp"), "%s", b.err);
}

static void done(struct lab *lab)
{
	CHECK(!SONDE_RUN(&b, "detach", "--all"), "%s", b.err);
	lab_enter(lab, LAB_NEAR);
	expect_clean(lab);
}

static void observe(struct sonde *s)
{
	SONDE_START(s, "capture", "--json", "-i", "sonde1", "--at", "xdp", "-Q", "in", "icmp",
		    "and", "verdict", "pass");
	sonde_await_err(s, "behind the gate");
}

static void pings(const struct lab *lab)
{
	lab_enter(lab, LAB_NEAR);
	CHECK(!lab_ping(lab, AF_INET, PINGS, 100), "pings");
	lab_enter(lab, LAB_FAR);
}

static void expect_pings(struct sonde *s)
{
	AWAIT((sonde_poll(s, 10), lines_of(s->out) == PINGS), "%s%s", s->out, s->err);
	CHECK(strstr(s->out, "\"verdict\":\"pass\""), "%s", s->out);
}

/* Both see every packet, and the counters stay when the capture goes. */
SCENARIO(observe_installed, 30)
{
	struct lab lab = { 0 };

	install(&lab);
	observe(&a);
	pings(&lab);
	expect_pings(&a);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	pings(&lab);
	CHECK(!SONDE_RUN(&b, "count", "--read", "--json"), "%s", b.err);
	CHECK(JSON_SUM(b.out, "packets", "\"protocol\":\"icmp\"", "\"direction\":\"in\"") ==
		      2 * PINGS,
	      "%s", b.out);
	done(&lab);
}

/* There is room for one; and it is free again however that one ends. */
SCENARIO(observe_one_at_a_time, 30)
{
	struct lab lab = { 0 };

	install(&lab);
	observe(&a);
	CHECK(SONDE_RUN(&b, "capture", "-i", "sonde1", "--at", "xdp") == 1, "%s", b.out);
	CHECK(strstr(b.err, "another capture"), "%s", b.err);
	CHECK(sonde_stop(&a, SIGKILL) == 128 + SIGKILL, "it ended by itself: %s", a.err);
	observe(&a);
	pings(&lab);
	expect_pings(&a);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	done(&lab);
}
