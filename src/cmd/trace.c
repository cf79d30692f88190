/* SPDX-License-Identifier: MIT */
/* sonde trace: connections, with the processes that they are for. */
#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/cmd.h"
#include "sys/wait.h"
#include "trace/trace.h"

static int show(const struct trace_event *e, void *arg)
{
	char l[50], r[50];
	int af = e->head.family == 4 ? AF_INET : AF_INET6;
	(void)arg;
	inet_ntop(af, e->head.local, l, sizeof l);
	inet_ntop(af, e->head.remote, r, sizeof r);
	printf("%d %.16s/%u %s.%u %s.%u err %d how %d flags %x lat %.3f sent %llu recv %llu retr %u rtt %u if %u ns %u\n", e->head.kind, e->head.who.comm, e->head.who.pid, l, e->head.lport, r, e->head.rport, e->is.error, e->is.how, e->head.flags, (e->head.time - e->is.began)/1e6, (unsigned long long)e->is.sent, (unsigned long long)e->is.received, e->is.retransmits, e->is.rtt_us, e->head.ifindex, e->head.who.netns);
	return 0;
}

static const struct opt rows[] = { { 0 } };
static const struct opt_spec spec = { .command = "trace", .usage = "", .about = "x", .rows = rows };

static int run(int argc, char **argv)
{
	struct trace t = { 0 };
	struct trace_wish w = { .kinds = 0xff7 | 1 << TRACE_OPEN, .there = true };
	struct trace_counts c;
	int rc;
	(void)argc; (void)argv;
	rc = trace_open(&t, &w);
	if (rc) return rc;
	wait_open();
	note("returns %s", t.returns);
	rc = trace_there(&t, show, NULL);
	note("there %d", rc);
	while (wait_for(t.ring.fd, UINT64_MAX) == WAIT_FD) { trace_read(&t, show, NULL); fflush(stdout); }
	trace_counts(&t, &c);
	note("%llu told %llu lost %llu blind", (unsigned long long)t.told, (unsigned long long)c.lost, (unsigned long long)c.blind);
	trace_close(&t);
	return 0;
}

const struct command cmd_trace = { .opt = &spec, .run = run };
