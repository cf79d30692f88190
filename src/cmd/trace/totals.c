/* SPDX-License-Identifier: MIT */
/* The tables at the end of a trace: connections by destination, drops by reason and function. */
#include <errno.h>
#include <stdlib.h>
#include "cmd/trace/show.h"
#include "trace/summary.h"

enum { SHOWN = 20 };

struct dest_row {
	uint64_t made, failed, closed, sent, received, retransmits;
	double p50, p90, p99;
	const char *event, *destination, *direction;
};

#define R struct dest_row
static const struct col dest_cols[] = {
	{ "event", .role = COL_INFO, COL_AT_STR(R, event) },
	{ "destination", "destination", .role = COL_KEY, COL_AT_STR(R, destination) },
	{ "direction", "dir", .role = COL_KEY, COL_AT_STR(R, direction) },
	{ "connections", "opened", .role = COL_COUNTER, COL_AT_U64(R, made) },
	{ "failed", "failed", .role = COL_COUNTER, COL_AT_U64(R, failed) },
	{ "latency_p50_ns", "p50", .role = COL_GAUGE, .unit = COL_NS, COL_AT_F64(R, p50) },
	{ "latency_p90_ns", "p90", .role = COL_GAUGE, .unit = COL_NS, COL_AT_F64(R, p90) },
	{ "latency_p99_ns", "p99", .role = COL_GAUGE, .unit = COL_NS, COL_AT_F64(R, p99) },
	{ "closed", "closed", .role = COL_COUNTER, COL_AT_U64(R, closed) },
	{ "sent", "sent", .role = COL_COUNTER, .unit = COL_BYTES, COL_AT_U64(R, sent) },
	{ "received", "received", .role = COL_COUNTER, .unit = COL_BYTES, COL_AT_U64(R, received) },
	{ "retransmits", "retrans", .role = COL_COUNTER, COL_AT_U64(R, retransmits) },
};
#undef R
static const struct schema dest_schema = { "trace_summary", dest_cols,
					   sizeof(dest_cols) / sizeof(*dest_cols), 0 };

struct drop_row {
	uint64_t packets;
	const char *event, *reason, *place;
};

#define R struct drop_row
static const struct col drop_cols[] = {
	{ "event", .role = COL_INFO, COL_AT_STR(R, event) },
	{ "reason", "drop reason", .role = COL_KEY, COL_AT_STR(R, reason) },
	{ "place", "location", .role = COL_KEY, COL_AT_STR(R, place) },
	{ "packets", "packets", .role = COL_COUNTER, COL_AT_U64(R, packets) },
};
#undef R
static const struct schema drop_schema = { "trace_drops", drop_cols,
					   sizeof(drop_cols) / sizeof(*drop_cols), 0 };

static int show_dest(const struct trace_dest *d, bool others, struct sink *sink)
{
	struct trace_head h = { .family = d->family };
	struct buf name = { 0 };
	struct dest_row row = {
		.event = "summary",
		.direction = d->incoming   ? "in"
			     : d->outgoing ? "out"
					   : NULL,
		.made = d->opened,
		.failed = d->failed,
		.closed = d->closed,
		.sent = d->sent,
		.received = d->received,
		.retransmits = d->retransmits,
		.p50 = trace_dest_percentile(d, 0.5),
		.p90 = trace_dest_percentile(d, 0.9),
		.p99 = trace_dest_percentile(d, 0.99),
	};
	int rc;

	if (others) {
		buf_str(&name, "others");
	} else {
		trace_fmt_addr(&name, &h, d->addr, true);
		buf_printf(&name, ":%u", d->port);
	}
	buf_char(&name, '\0');
	row.destination = name.data;
	rc = name.nomem ? -ENOMEM : sink_row(sink, &row);
	buf_free(&name);
	return rc;
}

int trace_show_summary(const struct trace_sum *sum, struct sink *sink)
{
	const struct trace_dest **order = calloc(TRACE_SUM_DESTS, sizeof(*order));
	size_t n, shown;
	int rc;

	if (!order)
		return -ENOMEM;
	n = trace_sum_sort(sum, order);
	shown = n < SHOWN ? n : SHOWN;
	rc = n ? sink_begin(sink, &dest_schema, NULL) : 0;
	for (size_t i = 0; i < shown && !rc; i++)
		rc = show_dest(order[i], false, sink);
	if (!rc && sum->overflowed)
		rc = show_dest(&sum->dests[TRACE_SUM_DESTS], true, sink);
	if (!rc && n)
		rc = sink_end(sink);
	if (!rc && n > shown)
		rc = sink_line(sink, "(%zu more)", n - shown);
	free(order);
	return rc;
}

struct drops {
	struct trace_fmt *fmt;
	struct sink *sink;
	uint64_t n;
};

static int show_drop(const void *what, uint64_t packets, void *arg)
{
	const struct trace_drop *drop = what;
	struct drops *d = arg;
	struct buf place = { 0 };
	struct drop_row row = { .event = "drops",
				.packets = packets,
				.reason = trace_find_name(&d->fmt->trace->drop_reasons,
							  drop->reason) };
	int rc = d->n++ ? 0 : sink_begin(d->sink, &drop_schema, NULL);

	symbols_append(&d->fmt->symbols, drop->location, &place);
	buf_char(&place, '\0');
	row.place = place.data;
	if (!rc)
		rc = place.nomem ? -ENOMEM : sink_row(d->sink, &row);
	buf_free(&place);
	return rc;
}

int trace_show_drops(struct trace_fmt *fmt, struct sink *sink)
{
	struct drops d = { fmt, sink, 0 };
	int rc = trace_walk_drops(fmt->trace, show_drop, &d);

	return rc || !d.n ? rc : sink_end(sink);
}
