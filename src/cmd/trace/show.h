/* SPDX-License-Identifier: MIT */
/* Records of the tracing programs as a reader gets them: a line or a JSON object each. */
#ifndef CMD_TRACE_SHOW_H
#define CMD_TRACE_SHOW_H

#include "cmd/trace/format.h"
#include "out/sink.h"
#include "trace/dns_pairs.h"
#include "trace/summary.h"

struct trace_show_opts {
	uint32_t verbose;   /* 1: owners and interfaces, too */
	int32_t utc_offset; /* seconds that local time is ahead of UTC */
	bool no_time;
};

/* Append a record's line, with what is below it. */
void trace_show_line(struct trace_fmt *s, const struct trace_show_opts *o,
		     const struct trace_head *rec, struct buf *out);
/* The same as a JSON object. 0 or -errno. */
int trace_show_row(struct trace_fmt *s, const struct trace_head *rec, struct sink *sink);

/* The same of a question of DNS and its answer. */
void trace_show_dns_line(struct trace_fmt *s, const struct trace_show_opts *o,
			 const struct trace_dns *dns, struct buf *out);
int trace_show_dns_row(struct trace_fmt *s, const struct trace_dns *dns, struct sink *sink);

/* Destinations of connections, the busiest first; packets dropped, by reason and function. 0 or
 * -errno. Does not report errors. */
int trace_show_summary(const struct trace_sum *sum, struct sink *sink);
int trace_show_drops(struct trace_fmt *say, struct sink *sink);

#endif
