/* SPDX-License-Identifier: MIT */
/* Prometheus text of probes: one table, so that it is one document; each row fills some columns.
 * Processes with the same name share a series: no label has a process id. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cmd/probe/show.h"

/* Latency bins by powers of two, as probes count them: below 2^10 ns (1 us) up to below 2^34 ns (17
 * s), and longer. All bins are always present: series must not come and go. */
enum { FIRST_POWER = 10, BOUNDS = 25, BINS = BOUNDS + 1 };

struct metric_row {
	const char *probe, *process, *reason;
	uint64_t hits, failed, lost, max;
	struct col_histogram latency;
};

#define R struct metric_row
static const struct col cols[] = {
	{ .metric = "probe", .role = COL_KEY, COL_AT_STR(R, probe) },
	{ .metric = "process", .role = COL_KEY, COL_AT_STR(R, process) },
	{ .metric = "reason", .role = COL_KEY, COL_AT_STR(R, reason) },
	{ .metric = "probe_hits_total",
	  .help = "Hits by probe and process name.",
	  .role = COL_COUNTER,
	  COL_AT_U64(R, hits) },
	{ .metric = "probe_errors_total",
	  .help = "Calls that returned an error.",
	  .role = COL_COUNTER,
	  COL_AT_U64(R, failed) },
	{ .metric = "probe_latency_seconds",
	  .help = "Time from call to return.",
	  .role = COL_COUNTER,
	  .unit = COL_NS,
	  COL_AT_HISTOGRAM(R, latency) },
	{ .metric = "probe_latency_max_seconds",
	  .help = "Time of the slowest call.",
	  .role = COL_GAUGE,
	  .unit = COL_NS,
	  COL_AT_U64(R, max) },
	{ .metric = "probe_lost_hits_total",
	  .help = "Hits that were not counted: of processes beyond --processes, and while a probe "
		  "was already running on that CPU.",
	  .role = COL_COUNTER,
	  COL_AT_U64(R, lost) },
};
#undef R
static const struct schema schema = SCHEMA(NULL, cols);

static const struct metric_row unknown_row = {
	.hits = COL_UNKNOWN, .failed = COL_UNKNOWN, .lost = COL_UNKNOWN, .max = COL_UNKNOWN
};

/* Hits of a probe by processes with the same name. */
struct sum {
	uint32_t probe;
	char comm[TRACE_COMM + 1];
	uint64_t hits, failed;
};

static int add_sum(const struct probe_key *key, const struct probe_val *val, void *arg)
{
	struct buf *sums = arg;
	struct sum sum = { .probe = key->probe, .hits = val->hits, .failed = val->failed };

	if (key->pid)
		memcpy(sum.comm, val->comm, TRACE_COMM);
	else
		strcpy(sum.comm, "(kernel)");
	buf_add(sums, &sum, sizeof(sum));
	return sums->nomem ? -ENOMEM : 0;
}

static int compare_sums(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;

	return x->probe != y->probe ? (x->probe > y->probe) - (x->probe < y->probe)
				    : strcmp(x->comm, y->comm);
}

/* Merges the sums of the same probe and name, which are adjacent. Returns how many remain. */
static size_t merge_sums(struct sum *sums, size_t n)
{
	size_t last = 0;

	for (size_t i = 1; i < n; i++) {
		if (compare_sums(&sums[last], &sums[i])) {
			sums[++last] = sums[i];
			continue;
		}
		sums[last].hits += sums[i].hits;
		sums[last].failed += sums[i].failed;
	}
	return n ? last + 1 : 0;
}

static int write_sums(const struct probe_show *s, struct sink *sink)
{
	struct buf buf = { 0 };
	struct sum *sums;
	size_t n;
	int rc = probe_walk_vals(s->probe, add_sum, &buf);

	sums = (struct sum *)(void *)buf.data;
	n = rc ? 0 : buf.len / sizeof(*sums);
	if (n)
		qsort(sums, n, sizeof(*sums), compare_sums);
	n = merge_sums(sums, n);
	for (size_t i = 0; i < n && !rc; i++) {
		const struct target *t = &s->probe->opts.targets[sums[i].probe];
		struct metric_row row = unknown_row;

		row.probe = t->text;
		row.process = sums[i].comm;
		row.hits = sums[i].hits;
		row.failed = t->returns ? sums[i].failed : COL_UNKNOWN;
		rc = sink_row(sink, &row);
	}
	buf_free(&buf);
	return rc;
}

static int write_latency(const struct probe_show *s, uint32_t probe, struct sink *sink)
{
	uint64_t counts[BINS] = { 0 }, below[BOUNDS];
	struct metric_row row = unknown_row;
	struct probe_times t;
	int rc = probe_times(s->probe, probe, &t);

	if (rc)
		return rc;
	for (int i = 0; i < BOUNDS; i++)
		below[i] = UINT64_C(1) << (FIRST_POWER + i);
	for (int i = 0; i < PROBE_BUCKETS; i++) {
		int bin = i - FIRST_POWER + 1;

		counts[bin < 0 ? 0 : bin < BINS ? bin : BINS - 1] += t.calls[i];
	}
	row.probe = s->probe->opts.targets[probe].text;
	row.latency = (struct col_histogram){ counts, below, BINS, t.total_ns };
	row.max = t.max_ns;
	return sink_row(sink, &row);
}

static int write_lost(const struct probe_show *s, struct sink *sink)
{
	struct metric_row row = unknown_row;
	struct probe_lost lost;
	int rc = probe_lost(s->probe, &lost);

	if (rc)
		return rc;
	row.reason = "too many processes";
	row.lost = lost.missed[PROBE_MISSED_HITS];
	rc = sink_row(sink, &row);
	row.reason = "busy";
	row.lost = lost.skipped;
	return rc ? rc : sink_row(sink, &row);
}

int probe_show_metrics(const struct probe_show *s, struct sink *sink)
{
	int rc = sink_begin(sink, &schema, NULL);

	if (!rc)
		rc = write_sums(s, sink);
	for (uint32_t i = 0; i < s->probe->opts.n && !rc; i++)
		if (s->probe->opts.targets[i].returns)
			rc = write_latency(s, i, sink);
	if (!rc)
		rc = write_lost(s, sink);
	return rc ? rc : sink_end(sink);
}
