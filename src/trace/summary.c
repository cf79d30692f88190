/* SPDX-License-Identifier: MIT */
/* A hash table of destinations with a histogram each: four bins for each power of two. */
#include "trace/summary.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"

int trace_sum_open(struct trace_sum *sum, enum trace_sum_key key)
{
	sum->key = key;
	sum->dests = calloc(TRACE_SUM_DESTS + TRACE_SUM_OTHERS, sizeof(*sum->dests));
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

/* For a destination without a slot of its own. */
static struct trace_dest *find_others(struct trace_sum *sum, const struct trace_dest *key)
{
	struct trace_dest *d = &sum->dests[TRACE_SUM_DESTS + (key->outgoing   ? 0
							      : key->incoming ? 1
									      : 2)];

	d->used = 1;
	d->incoming = key->incoming;
	d->outgoing = key->outgoing;
	return d;
}

static struct trace_dest *find_dest(struct trace_sum *sum, const struct trace_dest *key)
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
	return find_others(sum, key);
}

/* Returns the bin of a time: its highest bit and the two below that. */
static uint32_t bin_of(uint64_t ns)
{
	uint32_t top = ns ? 63 - (uint32_t)__builtin_clzll(ns) : 0, bin;

	if (top < 2)
		return (uint32_t)ns;
	bin = top * TRACE_SUM_STEPS + ((uint32_t)(ns >> (top - 2)) & (TRACE_SUM_STEPS - 1));
	return bin < TRACE_SUM_BINS ? bin : TRACE_SUM_BINS - 1;
}

/* Returns the middle of a bin. */
static double time_of(uint32_t bin)
{
	uint32_t top = bin / TRACE_SUM_STEPS, step = bin % TRACE_SUM_STEPS;

	if (top < 2)
		return bin;
	return (double)(UINT64_C(1) << (top - 2)) * (TRACE_SUM_STEPS + step + 0.5);
}

double trace_dest_percentile(const struct trace_dest *d, double part)
{
	uint64_t all = 0, rank, sum = 0;

	for (uint32_t i = 0; i < TRACE_SUM_BINS; i++)
		all += d->latencies[i];
	rank = (uint64_t)(part * (double)all);
	for (uint32_t i = 0; i < TRACE_SUM_BINS; i++) {
		sum += d->latencies[i];
		if (all && sum > rank)
			return time_of(i);
	}
	return NAN;
}

void trace_sum_add(struct trace_sum *sum, const struct trace_head *rec)
{
	const struct trace_event *e = (const struct trace_event *)(const void *)rec;
	struct trace_dest key = { 0 }, *d;

	if (rec->kind != TRACE_CONNECT && rec->kind != TRACE_ACCEPT && rec->kind != TRACE_CLOSE)
		return;
	key.incoming = (rec->flags & TRACE_INCOMING) != 0;
	key.outgoing = (rec->flags & TRACE_OUTGOING) != 0;
	key.port = key.incoming ? rec->lport : rec->rport;
	if (sum->key == TRACE_SUM_BY_ADDRESS) {
		key.family = rec->family;
		memcpy(key.addr, key.incoming ? rec->local : rec->remote, sizeof(key.addr));
	}
	d = find_dest(sum, &key);
	if (rec->kind == TRACE_CLOSE) {
		d->closed++;
		d->sent += e->detail.sent;
		d->received += e->detail.received;
		d->retransmits += e->detail.retransmits;
	} else if (e->detail.error) {
		d->failed++;
	} else {
		d->opened++;
		if (e->detail.start_ns && !(rec->flags & TRACE_BY_LISTENER))
			d->latencies[bin_of(rec->time - e->detail.start_ns)]++;
	}
}

static uint64_t count_events(const struct trace_dest *d)
{
	return d->opened + d->failed + d->closed;
}

static int compare_dests(const void *a, const void *b)
{
	uint64_t x = count_events(*(const struct trace_dest *const *)a),
		 y = count_events(*(const struct trace_dest *const *)b);

	return (x < y) - (x > y);
}

size_t trace_sum_sort(const struct trace_sum *sum, const struct trace_dest **order)
{
	size_t n = 0;

	for (size_t i = 0; i < TRACE_SUM_DESTS; i++)
		if (sum->dests[i].used)
			order[n++] = &sum->dests[i];
	qsort(order, n, sizeof(*order), compare_dests);
	return n;
}
