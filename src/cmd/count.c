/* SPDX-License-Identifier: MIT */
/* sonde count: packets and bytes by interface, direction, family, protocol and verdict. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/common/cmd.h"
#include "gate/gate.h"
#include "gate/ifaces.h"
#include "out/sink.h"
#include "sys/confine.h"
#include "sys/priv.h"
#include "sys/wait.h"

enum at { AT_XDP, AT_TC, AT_NATIVE, AT_GENERIC, AT_TCX, AT_CLSACT };
static const char *const at_names[] = { "xdp", "tc",     "xdp-native", "xdp-generic",
					"tcx", "clsact", NULL };
static const unsigned int at_hooks[][GATE_DIRS] = {
	[AT_XDP] = { HOOKS_XDP, HOOKS_TC },
	[AT_TC] = { HOOKS_TC, HOOKS_TC },
	[AT_NATIVE] = { HOOK_BIT(HOOK_XDP_NATIVE), HOOKS_TC },
	[AT_GENERIC] = { HOOK_BIT(HOOK_XDP_GENERIC), HOOKS_TC },
	[AT_TCX] = { HOOK_BIT(HOOK_TCX), HOOK_BIT(HOOK_TCX) },
	[AT_CLSACT] = { HOOK_BIT(HOOK_CLSACT), HOOK_BIT(HOOK_CLSACT) },
};

struct count_opts {
	struct opt_list ifaces;
	const char *netns;
	uint64_t interval, duration;
	int at, format;
	bool in, out, once, install, read, verbose, quiet;
};

#define O struct count_opts
static const struct opt rows[] = {
	OPT_LIST('i', "interface", "IFACE", O, ifaces,
		 "count on this interface (default: every one that is up, with those to come)"),
	OPT_STR('N', "netns", "PATH|PID", O, netns,
		"in this network namespace: a path, a name below /run/netns, or a process's"),
	OPT_CHOICE(0, "at", "HOOK", O, at, at_names,
		   "where incoming packets are counted; xdp: native, else generic; tc: tcx, else "
		   "clsact; the others: that one or none (default: xdp)"),
	OPT_FLAG(0, "in", O, in, "incoming packets only"),
	OPT_FLAG(0, "out", O, out, "outgoing packets only"),
	OPT_TIME('I', "interval", "TIME", O, interval, "time between two tables (default: 1s)"),
	OPT_TIME('d', "duration", "TIME", O, duration, "end after this time"),
	OPT_FLAG('1', "once", O, once, "one table, at the end (after -d, default 1s)"),
	OPT_FLAG(0, "install", O, install, "put the counters there and leave them in the kernel"),
	OPT_FLAG(0, "read", O, read, "read installed counters"),
	OPT_CHOICE('o', "output", "FORMAT", O, format, sink_formats,
		   "how to print (default: text)"),
	OPT_SET(0, "json", O, format, SINK_JSON, "short for -o json"),
	OPT_FLAG('q', "quiet", O, quiet, "do not say which hooks were taken"),
	OPT_FLAG('v', "verbose", O, verbose, "the verifier's whole log, should it refuse"),
	{ 0 },
};
#undef O

static const struct opt_spec spec = {
	.command = "count",
	.usage = "[OPTIONS]",
	.about = "packets and bytes by interface, direction, family, protocol and verdict\n"
		 "Incoming packets are counted at XDP, outgoing ones at tc, exactly, per CPU.",
	.rows = rows,
	.examples = "  sonde count                         every interface, once a second\n"
		    "  sonde count -i eth0 --once -d 10    ten seconds of eth0\n"
		    "  sonde count -i eth0 --install       count from now on, with no process\n"
		    "  sonde count --read -o prom          what has been counted since\n",
};

/* A row as it goes to the sinks. */
struct count_rec {
	double time; /* seconds since the epoch */
	const char *interface, *direction, *hook, *family, *protocol, *verdict;
	uint64_t packets, bytes;
	double pps, bps; /* a second: over the last interval, or since the installation */
};

#define R struct count_rec
/* A narrow terminal cuts lines at the right: what matters least stands there. */
static const struct col cols[] = {
	{ "time", .role = COL_INFO, COL_AT_F64(R, time) },
	{ "interface", "iface", "device", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "direction", "dir", "direction", .role = COL_KEY, COL_AT_STR(R, direction) },
	{ "family", "family", "family", .role = COL_KEY, COL_AT_STR(R, family) },
	{ "protocol", "proto", "proto", .role = COL_KEY, COL_AT_STR(R, protocol) },
	{ "packets", "packets", "interface_packets_total",
	  "Packets by interface, direction, family, protocol, hook and verdict.",
	  .role = COL_COUNTER, COL_AT_U64(R, packets) },
	{ "bytes", "bytes", "interface_bytes_total",
	  "Bytes of those packets from the link-layer header on.", .role = COL_COUNTER,
	  COL_AT_U64(R, bytes) },
	{ "packets_per_second", "pkt/s", .role = COL_GAUGE, .unit = COL_RATE, COL_AT_F64(R, pps) },
	{ "bits_per_second", "bit/s", .role = COL_GAUGE, .unit = COL_RATE, COL_AT_F64(R, bps) },
	{ "hook", "hook", "hook", .role = COL_KEY, COL_AT_STR(R, hook) },
	{ "verdict", "verdict", "verdict", .role = COL_KEY, COL_AT_STR(R, verdict) },
};
#undef R

static const struct schema schema = { "count", cols, sizeof(cols) / sizeof(*cols), 0 };

static double now_s(void)
{
	return (double)clock_real() / 1e9;
}

static int put_row(struct sink *sink, const struct gate *gate, const struct gate_row *row,
		   const struct gate_row *delta, double seconds)
{
	char proto[8];
	struct count_rec rec = {
		.time = now_s(),
		.interface = gate->link.name,
		.direction = gate_dir_name(row->dir),
		.hook = hook_name(gate->counters[row->dir].hook),
		.family = gate_family_name(row->family),
		.protocol = gate_proto_name(row, proto, sizeof(proto)),
		.verdict = gate_verdict_name(row->verdict),
		.packets = row->packets,
		.bytes = row->bytes,
	};

	if (delta && seconds > 0) {
		rec.pps = (double)delta->packets / seconds;
		rec.bps = (double)delta->bytes * 8 / seconds;
	}
	return sink_row(sink, &rec);
}

/* seconds: how long the rates are over. */
static int put_table(struct sink *sink, const struct gate_ifaces *ifaces, double elapsed,
		     double seconds)
{
	char title[96];
	int rc;

	snprintf(title, sizeof(title), "sonde count: %.1f s, %u interface%s", elapsed, ifaces->n,
		 ifaces->n == 1 ? "" : "s");
	rc = sink_begin(sink, &schema, title);
	for (unsigned int i = 0; i < ifaces->n && !rc; i++) {
		const struct gate_iface *p = ifaces->at[i];

		for (size_t r = 0; r < p->total.n && !rc; r++)
			rc = put_row(sink, &p->gate, &p->total.rows[r],
				     gate_counters_find(&p->delta, &p->total.rows[r]), seconds);
	}
	if (!rc)
		rc = sink_end(sink);
	return rc ? fail_errno(rc, "standard output") : 0;
}

/* Until the time is over, a signal comes, or none of the named interfaces is left. */
static int live(struct gate_ifaces *ifaces, struct sink *sink, const struct count_opts *o)
{
	uint64_t start = clock_mono(), last = start, now, next = start + o->interval;
	uint64_t end = o->duration ? start + o->duration : UINT64_MAX;
	bool over = false;
	int rc = 0;

	if (o->once)
		next = end;
	while (!rc && !over) {
		enum wait_what what = wait_for(ifaces->follower.events.fd, next < end ? next : end);

		if (what == WAIT_CLOSED)
			return fail(-EPIPE, "standard output is closed");
		if (what == WAIT_FD)
			rc = gate_ifaces_follow(ifaces);
		now = clock_mono();
		over = what == WAIT_STOP || now >= end ||
		       (ifaces->follower.names && !ifaces->follower.nused);
		if (rc || (now < next && !over))
			continue;
		rc = gate_ifaces_read(ifaces);
		if (!rc)
			rc = put_table(sink, ifaces, (double)(now - start) / 1e9,
				       (double)(now - last) / 1e9);
		last = now;
		if (next <= now)
			next += ((now - next) / o->interval + 1) * o->interval;
		gate_ifaces_forget_gone(ifaces);
	}
	if (!rc && !ifaces->follower.nused && ifaces->follower.names)
		rc = fail(-ENODEV, "no interface is left to count on");
	return rc;
}

static int read_installed(struct gate_ifaces *ifaces, struct sink *sink)
{
	uint64_t now = clock_read(CLOCK_BOOTTIME);
	int rc = gate_ifaces_find(ifaces), end;

	if (!rc)
		rc = sink_begin(sink, &schema, NULL);
	for (unsigned int i = 0; i < ifaces->n && !rc; i++) {
		struct gate_iface *p = ifaces->at[i];

		rc = gate_read(&p->gate, &p->total);
		for (size_t r = 0; r < p->total.n && !rc; r++) {
			const struct gate_row *row = &p->total.rows[r];
			uint64_t age = now - p->gate.counters[row->dir].load_time;

			rc = put_row(sink, &p->gate, row, row, (double)age / 1e9);
		}
	}
	if (rc)
		return rc;
	end = sink_end(sink);
	return end ? fail_errno(end, "standard output") : 0;
}

static int check(struct count_opts *o)
{
	if (o->install && o->read)
		return fail_usage("--install and --read exclude each other");
	if ((o->install || o->read) && (o->once || o->duration))
		return fail_usage("%s ends at once: -d and --once do not go with it",
				  o->install ? "--install" : "--read");
	if (!o->interval)
		o->interval = NS_PER_S;
	if (o->once && !o->duration)
		o->duration = NS_PER_S;
	if (!o->in && !o->out)
		o->in = o->out = true;
	return 0;
}

/* What attaching to interfaces that come later takes. */
static int settle(const struct gate_ifaces *ifaces)
{
	int rc = gate_ifaces_prepare(ifaces);

	return rc ? rc
		  : confine_process(PRIV(CAP_BPF) | PRIV(CAP_NET_ADMIN) | PRIV(CAP_PERFMON), false);
}

static int count(const struct count_opts *o, struct sink *sink)
{
	struct gate_opts opts = { .persistent = o->install,
				  .verbose = o->verbose,
				  .quiet = o->quiet };
	struct gate_ifaces ifaces = { 0 };
	int rc;

	opts.hooks[GATE_IN] = o->in ? at_hooks[o->at][GATE_IN] : 0;
	opts.hooks[GATE_OUT] = o->out ? at_hooks[o->at][GATE_OUT] : 0;
	rc = cmd_netns(o->netns);
	if (rc)
		return rc;
	rc = gate_ifaces_open(&ifaces, &o->ifaces, &opts);
	if (!rc && o->read)
		rc = read_installed(&ifaces, sink);
	else if (!rc)
		rc = gate_ifaces_attach(&ifaces);
	if (!rc && !o->read && !o->install) {
		rc = settle(&ifaces);
		if (!rc)
			rc = live(&ifaces, sink, o);
	}
	gate_ifaces_close(&ifaces);
	return rc;
}

static int run(int argc, char **argv)
{
	struct count_opts o = { 0 };
	struct sink *sink;
	int rc;

	rc = cmd_parse(&spec, &o, argc, argv);
	if (!rc)
		rc = check(&o);
	if (rc)
		return rc > 0 ? 0 : rc;
	rc = wait_open();
	if (rc)
		return fail_errno(rc, "signals");
	sink = sink_new((enum sink_format)o.format, STDOUT_FILENO,
			isatty(STDOUT_FILENO) && !o.once && !o.read);
	if (!sink)
		return fail_errno(-ENOMEM, "output");
	rc = count(&o, sink);
	sink_free(sink);
	return rc;
}

const struct command cmd_count = { &spec, run };
