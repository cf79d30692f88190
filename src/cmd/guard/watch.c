/* SPDX-License-Identifier: MIT */
/* sonde guard watch: incidents as they begin, go on and end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/guard/guard.h"
#include "incident/sampler.h"
#include "sys/bpf.h"
#include "sys/confine.h"
#include "sys/priv.h"
#include "sys/wait.h"

enum { UPDATE = 5 };

#define O struct guard_opts
static const struct opt rows[] = {
	GATE_ROWS_WHERE(O),
	OPT_TIME('d', "duration", "TIME", O, duration, "end after this time"),
	OPT_TIME(0, "quiet", "TIME", O, quiet_time,
		 "an incident is over when nothing was over a limit for so long (default: 10s)"),
	OPT_STR('w', "write", "DIR", O, dir,
		"packets of a second of each incident, from when it is noticed, into a new file: "
		"DIR/IFACE-TIME.pcapng, of what is dropped, or of the busiest sources"),
	GATE_ROWS_OUT(O),
	{ 0 },
};
#undef O
static const struct opt_spec spec = {
	.command = "guard watch",
	.usage = "[OPTIONS]",
	.about = "incidents: start, update, end, with the busiest keys, the peak, the reason\n"
		 "The guard goes on without it.",
	.rows = rows,
};

struct incident_rec {
	double time, began, peak;
	const char *interface, *event, *mode, *reason, *sources, *sample;
	uint64_t packets, bytes;
};

#define R struct incident_rec
static const struct col cols[] = {
	{ "time", .role = COL_INFO, COL_AT_F64(R, time) },
	{ "interface", "iface", "device", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "event", "event", .role = COL_INFO, COL_AT_STR(R, event) },
	{ "mode", "mode", .role = COL_INFO, COL_AT_STR(R, mode) },
	{ "began", .role = COL_INFO, COL_AT_F64(R, began) },
	{ "packets", "packets", "guard_incident_packets", "Packets over limits in an incident.",
	  .role = COL_GAUGE, COL_AT_U64(R, packets) },
	{ "bytes", "bytes", "guard_incident_bytes", "Bytes of those packets.", .role = COL_GAUGE,
	  COL_AT_U64(R, bytes) },
	{ "peak_packets_per_second", "peak/s", "guard_incident_peak",
	  "Most packets a second over limits in an incident.", .role = COL_GAUGE, .unit = COL_RATE,
	  COL_AT_F64(R, peak) },
	{ "reason", "reason", .role = COL_INFO, COL_AT_STR(R, reason) },
	{ "sources", "sources", .role = COL_INFO, COL_AT_STR(R, sources) },
	{ "sample", .role = COL_INFO, COL_AT_STR(R, sample) },
};
#undef R
static const struct schema schema = { "guard_incident", cols, sizeof(cols) / sizeof(*cols), 0 };

/* One interface's incident, if there is one. */
struct watched {
	struct guard_rates rates;
	struct buf sample; /* a file's name, with a NUL */
	struct guard_sums last;
	struct gate_sum total;
	uint64_t began, seen, told; /* began 0: there is none */
	double peak;
	uint32_t worst; /* of guard_sums, what most was over */
};

static struct gate_sum over(const struct guard_sums *now, const struct guard_sums *was,
			    uint32_t *worst)
{
	struct gate_sum sum = { 0 };
	uint64_t most = 0;

	for (uint32_t i = 0; i <= GUARD_SUM_SHARED; i++) {
		uint64_t packets = now->sum[i].packets - was->sum[i].packets;

		sum.packets += packets;
		sum.bytes += now->sum[i].bytes - was->sum[i].bytes;
		if (packets > most) {
			most = packets;
			*worst = i;
		}
	}
	return sum;
}

static void fmt_reason(const struct guard_view *v, uint32_t which, struct buf *out)
{
	const struct guard_scope *scope;
	const struct guard_limit *limit =
		guard_find_limit(&v->install.conf.guard, (uint8_t)which, &scope);

	if (limit)
		guard_print_limit(scope, limit, out);
	else
		buf_str(out, which == GUARD_SUM_BANNED ? "packets of banned" : "table full");
	buf_char(out, '\0');
}

static int tell(struct sink *sink, const struct guard_view *v, struct watched *w,
		const struct guard_busy *busy, size_t n, const char *event)
{
	struct buf reason = { 0 }, sources = { 0 };
	struct incident_rec rec = {
		.time = (double)clock_real() / 1e9,
		.began = (double)(clock_real() - (clock_mono() - w->began)) / 1e9,
		.interface = v->install.link.name,
		.event = event,
		.mode = v->install.conf.guard.enforce ? "enforce" : "dry run",
		.peak = w->peak,
		.sample = w->sample.len ? w->sample.data : NULL,
		.packets = w->total.packets,
		.bytes = w->total.bytes,
	};
	int rc;

	fmt_reason(v, w->worst, &reason);
	for (size_t i = 0; i < n; i++) {
		buf_str(&sources, i ? ", " : "");
		guard_print_name(guard_table_name(&v->table, busy[i].entry), &sources);
		buf_printf(&sources, " %.0f/s", busy[i].pps);
	}
	buf_char(&sources, '\0');
	rec.reason = reason.data;
	rec.sources = sources.data;
	rc = reason.nomem || sources.nomem ? -ENOMEM : sink_begin(sink, &schema, NULL);
	if (!rc)
		rc = sink_row(sink, &rec);
	if (!rc)
		rc = sink_end(sink);
	w->told = clock_mono();
	buf_free(&reason);
	buf_free(&sources);
	return rc;
}

/* All of them, and who takes samples. */
struct watch {
	struct guard_views *all;
	const struct guard_opts *o;
	struct guard_sampler sampler;
	struct watched *at; /* one a view */
};

static int look(struct sink *sink, struct watch *watch, size_t view)
{
	const struct guard_view *v = &watch->all->at[view];
	const struct guard_opts *o = watch->o;
	struct watched *w = &watch->at[view];
	uint64_t now = clock_mono(), quiet = o->quiet_time ? o->quiet_time : 10 * NS_PER_S;
	double seconds = (double)(now - w->rates.time) / 1e9;
	struct guard_busy busy[GUARD_BUSIEST];
	struct gate_sum sum = over(&v->sums, &w->last, &w->worst);
	size_t n = guard_rates_read(&w->rates, &v->table, busy, GUARD_BUSIEST);
	const char *event = NULL;

	w->last = v->sums;
	if (sum.packets) {
		w->seen = now;
		event = w->began ? now - w->told >= UPDATE * NS_PER_S ? "update" : NULL : "start";
		if (!w->began)
			w->began = now;
		w->total.packets += sum.packets;
		w->total.bytes += sum.bytes;
		if ((double)sum.packets / seconds > w->peak)
			w->peak = (double)sum.packets / seconds;
	} else if (w->began && now - w->seen >= quiet) {
		event = "end";
	}
	/* An incident is told of with or without packets of it. */
	if (event && *event == 's' && o->dir)
		guard_sampler_ask(&watch->sampler, view, busy, n, &w->sample);
	if (event) {
		int rc = tell(sink, v, w, busy, n, event);

		if (rc)
			return rc;
		if (*event == 'e') {
			w->began = w->peak = w->total.packets = w->total.bytes = 0;
			buf_clear(&w->sample);
		}
	}
	return 0;
}

/* Its program is the one that it was: another may have other limits and counters. */
static int still_there(struct guard_views *all, const struct guard_view *v)
{
	const struct found *at = &v->install.current;
	struct gate_successor successor = { 0 };
	uint32_t zero = 0;
	struct link now;
	bool gone = link_get(&all->nl, NULL, v->install.link.ifindex, &now) != 0;

	if (!gone && hook_is_xdp(at->hook))
		gone = now.xdp_native != at->prog_id && now.xdp_generic != at->prog_id &&
		       now.xdp_offload != at->prog_id;
	else if (!gone && !bpf_map_lookup(v->install.map_fd[GATE_MAP_SUCCESSOR], &zero, &successor))
		gone = successor.prog[GATE_IN] && successor.prog[GATE_IN] != at->prog_id;
	return gone ? fail(-ENOENT, "%s: the gate was changed or taken off: watch it again",
			   v->install.link.name)
		    : 0;
}

static int open_watch(struct watch *w)
{
	struct guard_views *all = w->all;
	int rc;

	w->at = calloc(all->n, sizeof(*w->at));
	rc = w->at ? wait_open() : -ENOMEM;
	for (size_t i = 0; i < all->n && !rc; i++) {
		w->at[i].last = all->at[i].sums;
		rc = guard_rates_begin(&w->at[i].rates, &all->at[i].table);
	}
	if (!rc && w->o->dir)
		rc = guard_sampler_start(&w->sampler, all, w->o->dir) ? -ECANCELED : 0;
	if (!rc)
		rc = confine_process(PRIV(CAP_BPF) | PRIV(CAP_NET_ADMIN) | PRIV(CAP_PERFMON),
				     false);
	return rc;
}

static void close_watch(struct watch *w)
{
	guard_sampler_stop(&w->sampler);
	for (size_t i = 0; w->at && i < w->all->n; i++) {
		guard_rates_free(&w->at[i].rates);
		buf_free(&w->at[i].sample);
	}
	free(w->at);
}

static int watch(struct guard_views *all, const struct guard_opts *o, struct sink *sink)
{
	uint64_t end = o->duration ? clock_mono() + o->duration : UINT64_MAX;
	uint64_t next = clock_mono() + NS_PER_S;
	struct watch w = { .all = all, .o = o };
	int rc = open_watch(&w);

	if (!rc)
		note("watching %zu guard%s", all->n, all->n == 1 ? "" : "s");
	while (!rc) {
		enum wait_what what = wait_for(0, next < end ? next : end);

		if (what == WAIT_CLOSED)
			rc = -EPIPE;
		if (!rc && guard_views_read(all))
			rc = -EIO;
		for (size_t i = 0; i < all->n && !rc; i++)
			rc = still_there(all, &all->at[i]) ? -ECANCELED : 0;
		for (size_t i = 0; i < all->n && !rc; i++)
			rc = look(sink, &w, i);
		if (what == WAIT_STOP || clock_mono() >= end)
			break;
		next = clock_mono() + NS_PER_S;
	}
	close_watch(&w);
	return rc;
}

static int run(int argc, char **argv)
{
	return guard_show(&spec, argc, argv, watch);
}

const struct cmd_sub guard_sub_watch = { &spec, run };
