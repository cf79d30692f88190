/* SPDX-License-Identifier: MIT */
/* Shows the counts and hits of probes as lines, tables, JSON objects and metrics. */
#ifndef CMD_PROBE_SHOW_H
#define CMD_PROBE_SHOW_H

#include "base/buf.h"
#include "out/sink.h"
#include "probe/probe.h"
#include "probe/user.h"
#include "trace/symbols.h"

enum { PROBE_SHOW_TEXTS = 4 };

/* Zeroed: closed. */
struct probe_show {
	const struct probe *probe;
	struct symbols symbols; /* of the kernel */
	struct users users;
	uint64_t epoch; /* offset from clock_mono() to the epoch, in ns */
	int32_t utc_offset;
	bool no_time, colors;
	struct buf texts[PROBE_SHOW_TEXTS]; /* texts of a JSON object */
};

/* Opens what showing hits needs. Returns 0 or -errno. Does not report errors. */
int probe_show_open(struct probe_show *s, const struct probe *probe);
void probe_show_close(struct probe_show *s);

/* All JSON records, NULL at the end. */
extern const struct schema *const probe_records[];
extern const struct schema probe_hit_schema;

/* Show one hit: as a line with its stacks below, or as a JSON object. probe_show_row() returns 0 or
 * -errno and does not report errors. */
void probe_show_line(struct probe_show *s, const struct probe_hit *hit, struct buf *out);
int probe_show_row(struct probe_show *s, const struct probe_hit *hit, struct sink *sink);

/* Show tables: hits by process, with rates over so many seconds; latencies; return values; stacks.
 * text: show only the first of many rows. Return 0 or -errno. Do not report errors. */
int probe_show_counts(struct probe_show *s, double seconds, struct sink *sink, bool text);
int probe_show_times(const struct probe_show *s, struct sink *sink, bool text);
int probe_show_values(struct probe_show *s, struct sink *sink, bool text);
int probe_show_paths(struct probe_show *s, struct sink *sink, bool text);
/* Writes hits, errors and latencies as one Prometheus document. Returns 0 or -errno. Does not
 * report errors. */
int probe_show_metrics(const struct probe_show *s, struct sink *sink);

#endif
