/* SPDX-License-Identifier: MIT */
/* sonde guard watch: reports incidents when they start, continue and end. */
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
#include "sys/event_loop.h"
#include "sys/priv.h"
#include "sys/wait.h"

enum { UPDATE = 5 };

#define O struct guard_opts
static const struct opt rows[] = {
	GATE_ROWS_WHERE(O),
	OPT_ROW_DURATION(O, "end after this time"),
	OPT_TIME(0, "quiet-time", "TIME", O, quiet_time,
		 "an incident ends when no limit was exceeded for this time (default: 10s)"),
	OPT_STR('w', "write", "DIR", O, dir,
		"write the packets of the first second of each incident to a new file, "
		"DIR/IFACE-TIME.pcapng: those that are dropped, or those of the busiest sources"),
	OPT_ROWS_OUTPUT_NO_PROM(O),
	OPT_ROW_QUIET(O, "print incidents only"),
	{ 0 },
};
#undef O
static const struct opt_spec spec = {
	.command = "guard watch",
	.usage = "[OPTIONS]",
	.about = "report incidents: their start, updates and end\n"
		 "Each report has the peak, the reason and the busiest sources. The guard works "
		 "without this command.",
	.rows = rows,
};

struct source_rec {
	const char *source;
	double pps;
};

#define R struct source_rec
static const struct col source_cols[] = {
	{ "source", .role = COL_KEY, COL_AT_STR(R, source) },
	{ "packets_per_second", .role = COL_GAUGE, .unit = COL_RATE, COL_AT_F64(R, pps) },
};
#undef R
static const struct schema source_schema = SCHEMA(NULL, source_cols);

struct incident_rec {
	uint64_t time, start; /* ns since the epoch */
	double peak;
	const char *interface, *event, *mode, *reason, *words, *sample;
	uint64_t packets, bytes;
	struct col_list sources;
};

#define R struct incident_rec
static const struct col cols[] = {
	{ "time", .role = COL_INFO, COL_AT_TIME(R, time) },
	{ "interface", "iface", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "event", "event", .role = COL_INFO, COL_AT_STR(R, event) },
	{ "mode", "mode", .role = COL_INFO, COL_AT_STR(R, mode) },
	{ "start_time", .role = COL_INFO, COL_AT_TIME(R, start) },
	{ "packets", "packets", .role = COL_GAUGE, COL_AT_U64(R, packets) },
	{ "bytes", "bytes", .role = COL_GAUGE, COL_AT_U64(R, bytes) },
	{ "peak_packets_per_second", "peak/s", .role = COL_GAUGE, .unit = COL_RATE,
	  COL_AT_F64(R, peak) },
	{ "reason", "reason", .role = COL_INFO, COL_AT_STR(R, reason) },
	{ "sources", .rows = &source_schema, .role = COL_INFO, COL_AT_TABLE(R, sources) },
	{ NULL, "sources", .role = COL_INFO, COL_AT_STR(R, words) },
	{ "sample_file", .role = COL_INFO, COL_AT_STR(R, sample) },
};
#undef R
static const struct schema schema = SCHEMA("guard_incident", cols);

struct watched {
	struct guard_rates rates;
	struct buf sample; /* name of a file, with a NUL */
	struct guard_sums last;
	struct gate_sum total;
	uint64_t began, seen, reported; /* ns of clock_mono(); began 0: no incident */
	double peak;
	uint32_t worst; /* index in guard_sums with the most packets */
};

static struct gate_sum sum_exceeded(const struct guard_sums *now, const struct guard_sums *was,
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
		buf_str(out,
			which == GUARD_SUM_BANNED ? "packets from banned sources" : "table full");
	buf_char(out, '\0');
}

/* The busiest sources as a list of records, and as text: "192.0.2.1 4000/s, 192.0.2.2 9/s". */
struct sources {
	struct buf names[GUARD_BUSIEST], words;
	struct source_rec recs[GUARD_BUSIEST];
};

static void fill_sources(struct sources *s, const struct guard_view *v,
			 const struct guard_busy *busy, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		guard_print_name(guard_table_name(&v->table, busy[i].entry), &s->names[i]);
		buf_char(&s->names[i], '\0');
		s->recs[i] = (struct source_rec){ s->names[i].data, busy[i].pps };
		s->words.nomem |= s->names[i].nomem;
		buf_printf(&s->words, "%s%s %.0f/s", i ? ", " : "", s->names[i].data, busy[i].pps);
	}
	buf_char(&s->words, '\0');
}

static void free_sources(struct sources *s)
{
	for (size_t i = 0; i < GUARD_BUSIEST; i++)
		buf_free(&s->names[i]);
	buf_free(&s->words);
}

static int report_incident(struct sink *sink, const struct guard_view *v, struct watched *w,
			   const struct guard_busy *busy, size_t n, const char *event)
{
	uint64_t now = clock_real(), now_mono = clock_mono();
	struct sources sources = { 0 };
	struct buf reason = { 0 };
	struct incident_rec rec = {
		.time = now,
		.start = now - (now_mono - w->began),
		.interface = v->install.link.name,
		.event = event,
		.mode = v->install.conf.guard.enforce ? "enforce" : "dry run",
		.peak = w->peak,
		.sample = w->sample.len ? w->sample.data : NULL,
		.packets = w->total.packets,
		.bytes = w->total.bytes,
		.sources = { sources.recs, n, sizeof(*sources.recs) },
	};
	int rc;

	fmt_reason(v, w->worst, &reason);
	fill_sources(&sources, v, busy, n);
	rec.reason = reason.data;
	rec.words = n ? sources.words.data : NULL;
	rc = reason.nomem || sources.words.nomem ? -ENOMEM : sink_record(sink, &schema, &rec);
	w->reported = now_mono;
	buf_free(&reason);
	free_sources(&sources);
	return rc;
}

/* All guards, and the process that takes samples. */
struct watch {
	struct guard_views *all;
	const struct guard_opts *o;
	struct sink *sink;
	struct guard_sampler sampler;
	struct watched *at; /* one per view */
	uint64_t next;      /* time of the next check, on clock_mono() */
};

static int check_incident(struct sink *sink, struct watch *watch, size_t view)
{
	const struct guard_view *v = &watch->all->at[view];
	const struct guard_opts *o = watch->o;
	struct watched *w = &watch->at[view];
	uint64_t now = clock_mono(), quiet = o->quiet_time ? o->quiet_time : 10 * NS_PER_S;
	double seconds = (double)(now - w->rates.time) / 1e9;
	struct guard_busy busy[GUARD_BUSIEST];
	struct gate_sum sum = sum_exceeded(&v->sums, &w->last, &w->worst);
	size_t n = guard_rates_read(&w->rates, &v->table, busy, GUARD_BUSIEST);
	const char *event = NULL;

	w->last = v->sums;
	if (sum.packets) {
		w->seen = now;
		event = w->began ? now - w->reported >= UPDATE * NS_PER_S ? "update" : NULL
				 : "start";
		if (!w->began)
			w->began = now;
		w->total.packets += sum.packets;
		w->total.bytes += sum.bytes;
		if ((double)sum.packets / seconds > w->peak)
			w->peak = (double)sum.packets / seconds;
	} else if (w->began && now - w->seen >= quiet) {
		event = "end";
	}
	/* Reports the incident even if the sample fails. */
	if (event && *event == 's' && o->dir)
		guard_sampler_request(&watch->sampler, view, busy, n, &w->sample);
	if (event) {
		int rc = report_incident(sink, v, w, busy, n, event);

		if (rc)
			return rc;
		if (*event == 'e') {
			w->began = w->peak = w->total.packets = w->total.bytes = 0;
			buf_clear(&w->sample);
		}
	}
	return 0;
}

/* Fails if the guard's program was replaced: another one has other limits and counters. */
static int check_program(struct guard_views *all, const struct guard_view *v)
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
	return gone ? fail(-ENOENT,
			   "%s: the guard was changed or removed: run sonde guard watch again",
			   v->install.link.name)
		    : 0;
}

static int open_watch(struct watch *w)
{
	struct guard_views *all = w->all;
	int rc;

	w->at = calloc(all->n, sizeof(*w->at));
	rc = w->at ? wait_catch_signals() : -ENOMEM;
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

static uint64_t next_check(void *arg)
{
	return ((const struct watch *)arg)->next;
}

/* Returns 0 or -ECANCELED. Reports errors. */
static int check_guards(struct watch *w)
{
	struct guard_views *all = w->all;
	int rc = guard_views_read(all) ? -ECANCELED : 0;

	for (size_t i = 0; i < all->n && !rc; i++)
		rc = check_program(all, &all->at[i]) ? -ECANCELED : 0;
	for (size_t i = 0; i < all->n && !rc; i++)
		rc = check_incident(w->sink, w, i);
	if (rc && rc != -ECANCELED)
		fail_errno(rc, "standard output");
	return rc ? -ECANCELED : 0;
}

static int on_timer(void *arg, uint64_t now)
{
	struct watch *w = arg;

	w->next = now + NS_PER_S;
	return check_guards(w);
}

static int watch_guards(struct guard_views *all, const struct guard_opts *o, struct sink *sink)
{
	uint64_t now = clock_mono();
	struct watch w = { .all = all, .o = o, .sink = sink, .next = now + NS_PER_S };
	const struct event_loop loop = {
		.end = o->common.duration ? now + o->common.duration : UINT64_MAX,
		.next_timer = next_check,
		.on_timer = on_timer,
		.arg = &w,
	};
	int rc = open_watch(&w);

	if (!rc && !o->common.quiet)
		note("watching %zu guard%s", all->n, all->n == 1 ? "" : "s");
	if (!rc)
		rc = event_loop_run(&loop) ? -ECANCELED : check_guards(&w);
	close_watch(&w);
	return rc;
}

static int run_watch(int argc, char **argv)
{
	return guard_show(&spec, argc, argv, watch_guards);
}

static const struct schema *const records[] = { &schema, NULL };
const struct command guard_watch_command = { &spec, run_watch, NULL, records };
