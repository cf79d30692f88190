/* SPDX-License-Identifier: MIT */
/* Prometheus text of a trace: one table, so that it is one document; each row fills some columns.
 * Labels have few values: no process, no address, no port of a client. */
#include <stdio.h>
#include "base/array.h"
#include "cmd/trace/show.h"

struct metric_row {
	const char *event, *direction, *port, *reason;
	uint64_t events, lost, opened, failed, closed, sent, received, retransmits, drops;
};

#define R struct metric_row
static const struct col cols[] = {
	{ .metric = "event", .role = COL_KEY, COL_AT_STR(R, event) },
	{ .metric = "direction", .role = COL_KEY, COL_AT_STR(R, direction) },
	{ .metric = "port", .role = COL_KEY, COL_AT_STR(R, port) },
	{ .metric = "reason", .role = COL_KEY, COL_AT_STR(R, reason) },
	{ .metric = "trace_events_total",
	  .help = "Events by kind.",
	  .role = COL_COUNTER,
	  COL_AT_U64(R, events) },
	{ .metric = "trace_events_lost_total",
	  .help = "Events without room in the ring buffer.",
	  .role = COL_COUNTER,
	  COL_AT_U64(R, lost) },
	{ .metric = "trace_connections_total",
	  .help = "Connections established or accepted, by direction and destination port.",
	  .role = COL_COUNTER,
	  COL_AT_U64(R, opened) },
	{ .metric = "trace_connection_failures_total",
	  .help = "Failed attempts, by direction and destination port.",
	  .role = COL_COUNTER,
	  COL_AT_U64(R, failed) },
	{ .metric = "trace_connections_closed_total",
	  .help = "Connections that ended, by direction and destination port.",
	  .role = COL_COUNTER,
	  COL_AT_U64(R, closed) },
	{ .metric = "trace_sent_bytes_total",
	  .help = "Payload sent by connections that ended.",
	  .role = COL_COUNTER,
	  COL_AT_U64(R, sent) },
	{ .metric = "trace_received_bytes_total",
	  .help = "Payload received by connections that ended.",
	  .role = COL_COUNTER,
	  COL_AT_U64(R, received) },
	{ .metric = "trace_retransmits_total",
	  .help = "Segments retransmitted by connections that ended.",
	  .role = COL_COUNTER,
	  COL_AT_U64(R, retransmits) },
	{ .metric = "trace_drops_total",
	  .help = "Packets dropped by the kernel, by reason.",
	  .role = COL_COUNTER,
	  COL_AT_U64(R, drops) },
};
#undef R
static const struct schema schema = SCHEMA(NULL, cols);

static const struct metric_row unknown_row = {
	.events = COL_UNKNOWN,
	.lost = COL_UNKNOWN,
	.opened = COL_UNKNOWN,
	.failed = COL_UNKNOWN,
	.closed = COL_UNKNOWN,
	.sent = COL_UNKNOWN,
	.received = COL_UNKNOWN,
	.retransmits = COL_UNKNOWN,
	.drops = COL_UNKNOWN,
};

enum { OPENING = TRACE_BIT(TRACE_CONNECT) | TRACE_BIT(TRACE_ACCEPT) };

static int write_events(const struct trace_metrics *m, struct sink *sink)
{
	uint32_t kinds = (m->trace->opts.kinds | m->trace->opts.failures) & ~m->trace->missing;
	struct metric_row row = unknown_row;
	int rc;

	row.lost = m->lost;
	rc = sink_row(sink, &row);
	row = unknown_row;
	for (int i = 0; i < TRACE_KINDS && !rc; i++) {
		if (!(kinds & TRACE_BIT(i)) || !trace_kind_names[i])
			continue;
		row.event = trace_kind_names[i];
		row.events = m->events[i];
		rc = sink_row(sink, &row);
	}
	return rc;
}

/* Leaves out columns that the selected kinds do not fill. */
static int write_dest(const struct trace_metrics *m, const struct trace_dest *d, bool others,
		      struct sink *sink)
{
	const struct trace_opts *o = &m->trace->opts;
	struct metric_row row = unknown_row;
	char port[8];

	snprintf(port, sizeof(port), "%u", d->port);
	row.direction = d->incoming ? "in" : d->outgoing ? "out" : NULL;
	row.port = others ? "other" : port;
	if (o->kinds & OPENING)
		row.opened = d->opened;
	if ((o->kinds | o->failures) & OPENING)
		row.failed = d->failed;
	if (o->kinds & TRACE_BIT(TRACE_CLOSE)) {
		row.closed = d->closed;
		row.sent = d->sent;
		row.received = d->received;
		row.retransmits = d->retransmits;
	}
	return sink_row(sink, &row);
}

static int write_dests(const struct trace_metrics *m, struct sink *sink)
{
	int rc = 0;

	for (size_t i = 0; i < TRACE_SUM_DESTS + TRACE_SUM_OTHERS && !rc; i++)
		if (m->sum->dests[i].used)
			rc = write_dest(m, &m->sum->dests[i], i >= TRACE_SUM_DESTS, sink);
	return rc;
}

/* Dropped packets by reason: sums the kernel's counts by function. [0]: reasons without a name. */
struct reasons {
	const struct trace_names *names;
	uint64_t packets[ARRAY_LEN(((struct trace_names *)0)->at)];
};

static int add_drop(const void *what, uint64_t packets, void *arg)
{
	const struct trace_drop *drop = what;
	struct reasons *r = arg;

	r->packets[trace_find_name(r->names, drop->reason) ? drop->reason : 0] += packets;
	return 0;
}

static int write_drops(const struct trace_metrics *m, struct sink *sink)
{
	struct metric_row row = unknown_row;
	struct reasons r = { .names = &m->trace->drop_reasons };
	int rc = trace_walk_drops(m->trace, add_drop, &r);

	for (uint32_t i = 0; i < ARRAY_LEN(r.packets) && !rc; i++) {
		if (!r.packets[i])
			continue;
		row.reason = i ? trace_find_name(r.names, i) : "unknown";
		row.drops = r.packets[i];
		rc = sink_row(sink, &row);
	}
	return rc;
}

int trace_show_metrics(const struct trace_metrics *m, struct sink *sink)
{
	int rc = sink_begin(sink, &schema, NULL);

	if (!rc)
		rc = write_events(m, sink);
	if (!rc)
		rc = write_dests(m, sink);
	if (!rc && m->trace->opts.kinds & TRACE_BIT(TRACE_DROP))
		rc = write_drops(m, sink);
	return rc ? rc : sink_end(sink);
}
