/* SPDX-License-Identifier: MIT */
/* A table of destinations with a histogram each: four steps for a power of two. */
#include "cmd/trace_sum.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"

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
	{ "connections", "made", .role = COL_COUNTER, COL_AT_U64(R, made) },
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
	{ "reason", "dropped because", .role = COL_KEY, COL_AT_STR(R, reason) },
	{ "place", "at", .role = COL_KEY, COL_AT_STR(R, place) },
	{ "packets", "packets", .role = COL_COUNTER, COL_AT_U64(R, packets) },
};
#undef R
static const struct schema drop_schema = { "trace_drops", drop_cols,
					   sizeof(drop_cols) / sizeof(*drop_cols), 0 };

int trace_sum_open(struct trace_sum *sum)
{
	sum->dests = calloc(TRACE_SUM_DESTS + 1, sizeof(*sum->dests));
	return sum->dests ? 0 : fail_errno(-ENOMEM, "summary");
}

void trace_sum_close(struct trace_sum *sum)
{
	free(sum->dests);
	*sum = (struct trace_sum){ 0 };
}

static bool is_same(const struct trace_dest *a, const struct trace_dest *b)
{
	return a->port == b->port && a->family == b->family && a->incoming == b->incoming &&
	       a->outgoing == b->outgoing && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static struct trace_dest *find(struct trace_sum *sum, const struct trace_dest *key)
{
	uint64_t words[2], hash;

	memcpy(words, key->addr, sizeof(words));
	hash = (words[0] ^ words[1] * 31 ^ key->port) * UINT64_C(0x9e3779b97f4a7c15) >> 40;
	for (int i = 0; i < 16; i++) {
		struct trace_dest *d = &sum->dests[(hash + (uint64_t)i) % TRACE_SUM_DESTS];

		if (!d->used) {
			*d = *key;
			d->used = 1;
		}
		if (is_same(d, key))
			return d;
	}
	sum->beyond = true;
	return &sum->dests[TRACE_SUM_DESTS];
}

/* Where a time belongs: its highest bit, and the two below that. */
static uint32_t bin_of(uint64_t ns)
{
	uint32_t top = ns ? 63 - (uint32_t)__builtin_clzll(ns) : 0, bin;

	if (top < 2)
		return (uint32_t)ns;
	bin = top * TRACE_SUM_STEPS + ((uint32_t)(ns >> (top - 2)) & (TRACE_SUM_STEPS - 1));
	return bin < TRACE_SUM_BINS ? bin : TRACE_SUM_BINS - 1;
}

/* The middle of a bin. */
static double time_of(uint32_t bin)
{
	uint32_t top = bin / TRACE_SUM_STEPS, step = bin % TRACE_SUM_STEPS;

	if (top < 2)
		return bin;
	return (double)(UINT64_C(1) << (top - 2)) * (TRACE_SUM_STEPS + step + 0.5);
}

static double percentile(const struct trace_dest *d, double part)
{
	uint64_t all = 0, want, sum = 0;

	for (uint32_t i = 0; i < TRACE_SUM_BINS; i++)
		all += d->times[i];
	want = (uint64_t)(part * (double)all);
	for (uint32_t i = 0; i < TRACE_SUM_BINS; i++) {
		sum += d->times[i];
		if (all && sum > want)
			return time_of(i);
	}
	return NAN;
}

void trace_sum_add(struct trace_sum *sum, const struct trace_head *rec)
{
	const struct trace_event *e = (const struct trace_event *)(const void *)rec;
	struct trace_dest key = { .family = rec->family }, *d;

	if (rec->kind != TRACE_CONNECT && rec->kind != TRACE_ACCEPT && rec->kind != TRACE_CLOSE)
		return;
	key.incoming = (rec->flags & TRACE_INCOMING) != 0;
	key.outgoing = (rec->flags & TRACE_OUTGOING) != 0;
	key.port = key.incoming ? rec->lport : rec->rport;
	memcpy(key.addr, key.incoming ? rec->local : rec->remote, sizeof(key.addr));
	d = find(sum, &key);
	if (rec->kind == TRACE_CLOSE) {
		d->closed++;
		d->sent += e->is.sent;
		d->received += e->is.received;
		d->retransmits += e->is.retransmits;
	} else if (e->is.error) {
		d->failed++;
	} else {
		d->made++;
		if (e->is.began && !(rec->flags & TRACE_BY_LISTENER))
			d->times[bin_of(rec->time - e->is.began)]++;
	}
}

static uint64_t weight(const struct trace_dest *d)
{
	return d->made + d->failed + d->closed;
}

static int busier(const void *a, const void *b)
{
	uint64_t x = weight(*(const struct trace_dest *const *)a),
		 y = weight(*(const struct trace_dest *const *)b);

	return (x < y) - (x > y);
}

static int show_dest(const struct trace_dest *d, bool others, struct sink *sink)
{
	struct trace_head h = { .family = d->family };
	struct buf name = { 0 };
	struct dest_row row = {
		.event = "summary",
		.direction = d->incoming   ? "in"
			     : d->outgoing ? "out"
					   : NULL,
		.made = d->made,
		.failed = d->failed,
		.closed = d->closed,
		.sent = d->sent,
		.received = d->received,
		.retransmits = d->retransmits,
		.p50 = percentile(d, 0.5),
		.p90 = percentile(d, 0.9),
		.p99 = percentile(d, 0.99),
	};
	int rc;

	if (others) {
		buf_str(&name, "others");
	} else {
		trace_say_addr(&name, &h, d->addr, true);
		buf_printf(&name, ":%u", d->port);
	}
	buf_char(&name, '\0');
	row.destination = name.data;
	rc = name.nomem ? -ENOMEM : sink_row(sink, &row);
	buf_free(&name);
	return rc;
}

int trace_sum_show(const struct trace_sum *sum, struct sink *sink)
{
	const struct trace_dest **order = calloc(TRACE_SUM_DESTS, sizeof(*order));
	size_t n = 0, shown;
	int rc;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < TRACE_SUM_DESTS; i++)
		if (sum->dests[i].used)
			order[n++] = &sum->dests[i];
	qsort(order, n, sizeof(*order), busier);
	shown = n < SHOWN ? n : SHOWN;
	rc = n ? sink_begin(sink, &dest_schema, NULL) : 0;
	for (size_t i = 0; i < shown && !rc; i++)
		rc = show_dest(order[i], false, sink);
	if (!rc && sum->beyond)
		rc = show_dest(&sum->dests[TRACE_SUM_DESTS], true, sink);
	if (!rc && n)
		rc = sink_end(sink);
	if (!rc && n > shown)
		rc = sink_line(sink, "(%zu more)", n - shown);
	free(order);
	return rc;
}

struct drops {
	struct trace_say *say;
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
				.reason = trace_name(&d->say->trace->drops, drop->reason) };
	int rc = d->n++ ? 0 : sink_begin(d->sink, &drop_schema, NULL);

	symbols_put(&d->say->symbols, drop->location, &place);
	buf_char(&place, '\0');
	row.place = place.data;
	if (!rc)
		rc = place.nomem ? -ENOMEM : sink_row(d->sink, &row);
	buf_free(&place);
	return rc;
}

int trace_sum_drops(struct trace_say *say, struct sink *sink)
{
	struct drops d = { say, sink, 0 };
	int rc = trace_drops(say->trace, show_drop, &d);

	return rc || !d.n ? rc : sink_end(sink);
}
