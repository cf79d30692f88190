/* SPDX-License-Identifier: MIT */
/* sonde count: counts packets and bytes by interface, direction, family, protocol and verdict. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/common/opts.h"
#include "gate/gate.h"
#include "gate/ifaces.h"
#include "out/sink.h"
#include "out/textfile.h"
#include "sys/confine.h"
#include "sys/event_loop.h"
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
	struct cmd_common common;
	int at;
	bool in, out, once, install, read;
};

#define O struct count_opts
static const struct opt rows[] = {
	OPT_ROW_IFACES(O, "count on this interface (default: every interface that is up, and those "
			  "that come up later)"),
	OPT_ROW_NETNS(O),
	OPT_CHOICE(0, "at", "HOOK", O, at, at_names,
		   "hook for incoming packets; xdp is native XDP, else generic XDP; "
		   "tc is tcx, else clsact; the other hooks have no fallback"),
	OPT_FLAG(0, "in", O, in, "count incoming packets only"),
	OPT_FLAG(0, "out", O, out, "count outgoing packets only"),
	OPT_ROW_INTERVAL(O, "print a table each time this has passed (default: 1s)"),
	OPT_ROW_DURATION(O, "end after this time"),
	OPT_FLAG('1', "once", O, once, "print one table at the end (default duration: 1s)"),
	OPT_FLAG(0, "install", O, install, "install counters that stay in the kernel, and end"),
	OPT_FLAG(0, "read", O, read, "print installed counters and end"),
	OPT_ROWS_OUTPUT(O),
	OPT_ROW_TEXTFILE(O),
	OPT_ROW_QUIET(O, "do not print which hooks are used"),
	OPT_ROW_VERBOSE(O),
	{ 0 },
};
#undef O

static const struct opt_spec spec = {
	.command = "count",
	.usage = "[OPTIONS]",
	.about = "count packets and bytes by interface, direction and protocol\n"
		 "The counts are exact, and also by address family and verdict. "
		 "-o prom prints one document at the end; --textfile writes one "
		 "at each interval.",
	.rows = rows,
	.examples = "  sonde count                         every interface, once a second\n"
		    "  sonde count -i eth0 --once -d 10    ten seconds of eth0\n"
		    "  sonde count -i eth0 --install       count from now on, without a process\n"
		    "  sonde count --read -o prom          what has been counted since then\n"
		    "  sonde count --textfile /var/lib/node_exporter/sonde.prom -I 15s\n",
};

/* A row for the sinks. */
struct count_rec {
	uint64_t time; /* ns since the epoch */
	const char *interface, *direction, *hook, *family, *label, *protocol, *verdict;
	uint64_t proto, packets, bytes;
	double pps, bps; /* per second: over the last interval, or since the installation */
};

#define R struct count_rec
/* Narrow terminals cut lines at the right, so the least important columns are last. */
static const struct col cols[] = {
	{ "time", .role = COL_INFO, COL_AT_TIME(R, time) },
	{ "interface", "iface", "device", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "direction", "dir", "direction", .role = COL_KEY, COL_AT_STR(R, direction) },
	{ "family", "family", "family", .role = COL_KEY, COL_AT_STR(R, family) },
	{ NULL, "proto", "proto", .role = COL_KEY, COL_AT_STR(R, label) },
	{ "protocol", .role = COL_KEY, COL_AT_STR(R, protocol) },
	{ "protocol_number", .role = COL_KEY, COL_AT_U64(R, proto) },
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

static const struct schema schema = SCHEMA("count", cols);
static const struct schema *const records[] = { &schema, NULL };

static int put_row(struct sink *sink, const struct gate *gate, const struct gate_row *row,
		   const struct gate_row *delta, double seconds)
{
	char proto[8];
	struct count_rec rec = {
		.time = clock_real(),
		.interface = gate->link.name,
		.direction = gate_dir_name(row->dir),
		.hook = hook_name(gate->counters[row->dir].hook),
		.family = gate_family_name(row->family),
		.label = gate_proto_name(row, proto, sizeof(proto)),
		.proto = row->proto < GATE_PROTO_BAD ? row->proto : COL_UNKNOWN,
		.verdict = gate_verdict_name(row->verdict),
		.packets = row->packets,
		.bytes = row->bytes,
	};

	/* A protocol without a name has its number as label; JSON has it in the other column. */
	rec.protocol = rec.label == proto ? NULL : rec.label;
	if (delta && seconds > 0) {
		rec.pps = (double)delta->packets / seconds;
		rec.bps = (double)delta->bytes * 8 / seconds;
	}
	return sink_row(sink, &rec);
}

/* seconds: the time over which rates are computed. */
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

struct live {
	struct gate_ifaces *ifaces;
	struct sink *sink;
	const struct count_opts *o;
	uint64_t start, last, next;
};

static int on_links(void *arg)
{
	struct live *l = arg;
	int rc = gate_ifaces_follow(l->ifaces);

	if (!rc && l->ifaces->follower.names && !l->ifaces->follower.nused)
		return LOOP_END;
	return rc;
}

static bool is_prom(const struct count_opts *o)
{
	return o->common.format == SINK_PROM && !o->common.textfile;
}

static int print_table(struct live *l, uint64_t now)
{
	int rc = gate_ifaces_read(l->ifaces);

	if (!rc)
		rc = put_table(l->sink, l->ifaces, (double)(now - l->start) / 1e9,
			       (double)(now - l->last) / 1e9);
	l->last = now;
	gate_ifaces_forget_gone(l->ifaces);
	return rc;
}

static uint64_t next_table(void *arg)
{
	const struct live *l = arg;

	/* A Prometheus document is complete: standard output gets one, at the end. */
	return l->o->once || is_prom(l->o) ? UINT64_MAX : l->next;
}

static int on_timer(void *arg, uint64_t now)
{
	struct live *l = arg;
	uint64_t interval = l->o->common.interval;

	l->next += ((now - l->next) / interval + 1) * interval;
	return print_table(l, now);
}

/* Counts until the time is over, a signal arrives, or none of the named interfaces is left. */
static int count_live(struct gate_ifaces *ifaces, struct sink *sink, const struct count_opts *o)
{
	uint64_t now = clock_mono();
	struct live l = { ifaces, sink, o, now, now, now + o->common.interval };
	const struct event_loop loop = {
		.fd = ifaces->follower.events.fd,
		.end = o->common.duration ? now + o->common.duration : UINT64_MAX,
		.on_readable = on_links,
		.next_timer = next_table,
		.on_timer = on_timer,
		.arg = &l,
	};
	int rc = event_loop_run(&loop);

	if (!rc)
		rc = print_table(&l, clock_mono());
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

static int check_options(struct count_opts *o)
{
	if (o->install && o->read)
		return fail_usage("--install and --read cannot be used together");
	if ((o->install || o->read) && (o->once || o->common.duration))
		return fail_usage("%s ends at once: --duration and --once cannot be used with it",
				  o->install ? "--install" : "--read");
	if (!o->common.interval)
		o->common.interval = NS_PER_S;
	if (o->once && !o->common.duration)
		o->common.duration = NS_PER_S;
	if (!o->in && !o->out)
		o->in = o->out = true;
	return 0;
}

/* Keeps the capabilities for attaching to new interfaces and for replacing a text file. */
static int drop_privileges(const struct gate_ifaces *ifaces, const struct count_opts *o)
{
	uint64_t caps = PRIV(CAP_BPF) | PRIV(CAP_NET_ADMIN) | PRIV(CAP_PERFMON);
	int rc = gate_ifaces_prepare(ifaces);

	if (o->common.textfile)
		caps |= PRIV(CAP_DAC_OVERRIDE);
	return rc ? rc : confine_process(caps, o->common.textfile != NULL);
}

static int count_packets(const struct count_opts *o, struct sink *sink)
{
	struct gate_opts opts = { .persistent = o->install,
				  .verbose = o->common.verbose,
				  .quiet = o->common.quiet };
	struct gate_ifaces ifaces = { 0 };
	int rc;

	opts.hooks[GATE_IN] = o->in ? at_hooks[o->at][GATE_IN] : 0;
	opts.hooks[GATE_OUT] = o->out ? at_hooks[o->at][GATE_OUT] : 0;
	rc = cmd_enter_netns(o->common.netns);
	if (rc)
		return rc;
	rc = gate_ifaces_open(&ifaces, &o->common.ifaces, &opts);
	if (!rc && o->read)
		rc = read_installed(&ifaces, sink);
	else if (!rc)
		rc = gate_ifaces_attach(&ifaces);
	if (!rc && !o->read && !o->install) {
		rc = drop_privileges(&ifaces, o);
		if (!rc)
			rc = count_live(&ifaces, sink, o);
	}
	gate_ifaces_close(&ifaces);
	return rc;
}

static int run_count(int argc, char **argv)
{
	struct count_opts o = { 0 };
	struct textfile file = { 0 };
	struct sink *sink;
	int rc;

	rc = cmd_parse_options(&spec, &o, &o.common, argc, argv);
	if (!rc)
		rc = check_options(&o);
	if (rc)
		return rc > 0 ? 0 : rc;
	rc = wait_catch_signals();
	if (rc)
		return fail_errno(rc, "signals");
	sink = cmd_open_sink(&o.common, !o.once && !o.read, &file);
	if (!sink)
		return -EIO;
	rc = count_packets(&o, sink);
	sink_free(sink);
	textfile_close(&file);
	return rc;
}

const struct command cmd_count = { &spec, run_count, NULL, records };
