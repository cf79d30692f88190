/* SPDX-License-Identifier: MIT */
/* Shows events as text lines or as JSON objects, and sums of them as tables or metrics. */
#ifndef CMD_TRACE_SHOW_H
#define CMD_TRACE_SHOW_H

#include "cmd/trace/format.h"
#include "out/sink.h"
#include "trace/dns_pairs.h"
#include "trace/summary.h"

struct trace_show_opts {
	uint32_t verbose;   /* 1: also processes, cgroups, interfaces and namespaces */
	int32_t utc_offset; /* seconds to add to UTC for local time */
	bool no_time;
};

/* All JSON records, NULL at the end; the summary's are last. */
extern const struct schema *const trace_records[];
extern const struct schema trace_summary_schema, trace_drops_schema;

/* Appends an event's line and the lines below it. */
void trace_show_line(struct trace_fmt *s, const struct trace_show_opts *o,
		     const struct trace_head *rec, struct buf *out);
/* Writes an event as a JSON object. Returns 0 or -errno. Does not report errors. */
int trace_show_row(struct trace_fmt *s, const struct trace_head *rec, struct sink *sink);

/* Show a DNS query and its answer in the same ways. */
void trace_show_dns_line(struct trace_fmt *s, const struct trace_show_opts *o,
			 const struct trace_dns *dns, struct buf *out);
int trace_show_dns_row(struct trace_fmt *s, const struct trace_dns *dns, struct sink *sink);

/* Write the tables of the busiest destinations, and of dropped packets by reason and function.
 * Return 0 or -errno. Do not report errors. */
int trace_show_summary(const struct trace_sum *sum, size_t most, struct sink *sink);
int trace_show_drops(struct trace_fmt *fmt, struct sink *sink);

/* The contents of a Prometheus document. */
struct trace_metrics {
	const struct trace *trace;
	const struct trace_sum *sum; /* by port */
	const uint64_t *events;      /* by kind */
	uint64_t lost;
};
/* Writes the document. Returns 0 or -errno. Does not report errors. */
int trace_show_metrics(const struct trace_metrics *m, struct sink *sink);

#endif
