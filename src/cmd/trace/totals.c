/* SPDX-License-Identifier: MIT */
/* Tables at the end of a trace: connections by destination, drops by reason and function. */
#include <errno.h>
#include <stdlib.h>
#include "cmd/trace/show.h"

struct dest_row {
	uint64_t port, opened, failed, closed, sent, received, retransmits;
	double p50, p90, p99;
	const char *label, *destination, *direction;
};

#define R struct dest_row
static const struct col dest_cols[] = {
	{ NULL, "destination", .role = COL_KEY, COL_AT_STR(R, label) },
	{ "destination", .role = COL_KEY, COL_AT_STR(R, destination) },
	{ "destination_port", .role = COL_KEY, COL_AT_U64(R, port) },
	{ "direction", "dir", .role = COL_KEY, COL_AT_STR(R, direction) },
	{ "connections", "opened", .role = COL_COUNTER, COL_AT_U64(R, opened) },
	{ "failed", "failed", .role = COL_COUNTER, COL_AT_U64(R, failed) },
	{ "latency_p50_seconds", "p50", .role = COL_GAUGE, .unit = COL_NS, COL_AT_F64(R, p50) },
	{ "latency_p90_seconds", "p90", .role = COL_GAUGE, .unit = COL_NS, COL_AT_F64(R, p90) },
	{ "latency_p99_seconds", "p99", .role = COL_GAUGE, .unit = COL_NS, COL_AT_F64(R, p99) },
	{ "closed", "closed", .role = COL_COUNTER, COL_AT_U64(R, closed) },
	{ "sent_bytes", "sent", .role = COL_COUNTER, .unit = COL_BYTES, COL_AT_U64(R, sent) },
	{ "received_bytes", "received", .role = COL_COUNTER, .unit = COL_BYTES,
	  COL_AT_U64(R, received) },
	{ "retransmits", "retrans", .role = COL_COUNTER, COL_AT_U64(R, retransmits) },
};
#undef R
const struct schema trace_summary_schema = SCHEMA("trace_summary", dest_cols);

struct drop_row {
	uint64_t packets;
	const char *reason, *location;
};

#define R struct drop_row
static const struct col drop_cols[] = {
	{ "reason", "drop reason", .role = COL_KEY, COL_AT_STR(R, reason) },
	{ "location", "location", .role = COL_KEY, COL_AT_STR(R, location) },
	{ "packets", "packets", .role = COL_COUNTER, COL_AT_U64(R, packets) },
};
#undef R
const struct schema trace_drops_schema = SCHEMA("trace_drops", drop_cols);

static int write_dest(const struct trace_dest *d, bool others, struct sink *sink)
{
	struct trace_head h = { .family = d->family };
	struct buf label = { 0 }, address = { 0 };
	struct dest_row row = {
		.port = others ? COL_UNKNOWN : d->port,
		.label = "others",
		.direction = d->incoming   ? "in"
			     : d->outgoing ? "out"
					   : NULL,
		.opened = d->opened,
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

	if (!others) {
		trace_fmt_addr(&label, &h, d->addr, true);
		buf_printf(&label, ":%u", d->port);
		trace_fmt_addr(&address, &h, d->addr, false);
		buf_char(&label, '\0');
		buf_char(&address, '\0');
		row.label = label.data;
		row.destination = address.data;
	}
	rc = label.nomem || address.nomem ? -ENOMEM : sink_row(sink, &row);
	buf_free(&label);
	buf_free(&address);
	return rc;
}

static int write_others(const struct trace_sum *sum, struct sink *sink)
{
	const struct trace_dest *others = &sum->dests[TRACE_SUM_DESTS];
	int rc = 0;

	for (int i = 0; i < TRACE_SUM_OTHERS && !rc; i++)
		if (others[i].used)
			rc = write_dest(&others[i], true, sink);
	return rc;
}

int trace_show_summary(const struct trace_sum *sum, size_t most, struct sink *sink)
{
	const struct trace_dest **order = calloc(TRACE_SUM_DESTS, sizeof(*order));
	size_t n, shown;
	int rc;

	if (!order)
		return -ENOMEM;
	n = trace_sum_sort(sum, order);
	shown = n < most ? n : most;
	rc = n ? sink_begin(sink, &trace_summary_schema, NULL) : 0;
	for (size_t i = 0; i < shown && !rc; i++)
		rc = write_dest(order[i], false, sink);
	if (!rc)
		rc = write_others(sum, sink);
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

static int write_drop(const void *what, uint64_t packets, void *arg)
{
	const struct trace_drop *drop = what;
	struct drops *d = arg;
	struct buf location = { 0 };
	struct drop_row row = { .packets = packets,
				.reason = trace_find_name(&d->fmt->trace->drop_reasons,
							  drop->reason) };
	int rc = d->n++ ? 0 : sink_begin(d->sink, &trace_drops_schema, NULL);

	symbols_append(&d->fmt->symbols, drop->location, &location);
	buf_char(&location, '\0');
	row.location = location.data;
	if (!rc)
		rc = location.nomem ? -ENOMEM : sink_row(d->sink, &row);
	buf_free(&location);
	return rc;
}

int trace_show_drops(struct trace_fmt *fmt, struct sink *sink)
{
	struct drops d = { fmt, sink, 0 };
	int rc = trace_walk_drops(fmt->trace, write_drop, &d);

	return rc || !d.n ? rc : sink_end(sink);
}
