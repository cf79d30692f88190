/* SPDX-License-Identifier: MIT */
/* A query is identified by its endpoints and its id; a repeated query has the same. */
#include "trace/dns_pairs.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/err.h"

enum { DUPLICATE_NS = 10000000 }; /* sooner, it is the same packet at another interface */

int trace_dns_open(struct trace_dns_table *table)
{
	table->slots = calloc(TRACE_DNS_SLOTS, sizeof(*table->slots));
	return table->slots ? 0 : fail_errno(-ENOMEM, "table of DNS queries");
}

void trace_dns_close(struct trace_dns_table *table)
{
	free(table->slots);
	*table = (struct trace_dns_table){ 0 };
}

static bool is_same(const struct trace_dns *q, const struct trace_head *h, uint16_t id)
{
	const struct trace_head *a = &q->head;

	return q->query_ns && q->msg.id == id && a->lport == h->lport && a->rport == h->rport &&
	       a->proto == h->proto && a->family == h->family &&
	       !memcmp(a->local, h->local, sizeof(a->local)) &&
	       !memcmp(a->remote, h->remote, sizeof(a->remote));
}

/* Returns the slots where a query may be. */
static struct trace_dns *find_bucket(const struct trace_dns_table *table,
				     const struct trace_head *h, uint16_t id)
{
	uint32_t hash = (id ^ (uint32_t)h->lport << 16 ^ h->rport) * UINT32_C(0x9e3779b1) >> 16;

	return &table->slots[hash % (TRACE_DNS_SLOTS / TRACE_DNS_BUCKET) * TRACE_DNS_BUCKET];
}

static struct trace_dns *find_query(const struct trace_dns_table *table, const struct trace_head *h,
				    uint16_t id)
{
	struct trace_dns *at = find_bucket(table, h, id);

	for (int i = 0; i < TRACE_DNS_BUCKET; i++)
		if (is_same(&at[i], h, id))
			return &at[i];
	return NULL;
}

/* Returns a free slot, or that of the oldest query, which is evicted. */
static struct trace_dns *claim_slot(struct trace_dns_table *table, const struct trace_head *h,
				    uint16_t id)
{
	struct trace_dns *at = find_bucket(table, h, id), *oldest = at;

	for (int i = 0; i < TRACE_DNS_BUCKET && oldest->query_ns; i++)
		if (at[i].query_ns < oldest->query_ns)
			oldest = &at[i];
	table->evicted += oldest->query_ns != 0;
	return oldest;
}

bool trace_dns_add(struct trace_dns_table *table, const struct trace_message *m,
		   struct trace_dns *done)
{
	uint32_t len = m->head.bytes < TRACE_MESSAGE ? m->head.bytes : TRACE_MESSAGE;
	struct trace_dns *q;
	struct dns_summary msg;

	if (!dns_parse_message(&msg, cursor_of(m->bytes, len)))
		return false;
	q = find_query(table, &m->head, msg.id);
	if (!msg.response) {
		if (q && m->head.time - q->head.time >= DUPLICATE_NS)
			q->queries++;
		if (q)
			return false;
		q = claim_slot(table, &m->head, msg.id);
		*q = (struct trace_dns){ .head = m->head, .query_ns = m->head.time, .queries = 1 };
		q->msg = msg;
		return false;
	}
	*done = q ? *q : (struct trace_dns){ .head = m->head };
	done->head.time = m->head.time;
	done->answered = true;
	done->msg = msg;
	if (q)
		q->query_ns = 0;
	return true;
}

bool trace_dns_expire(struct trace_dns_table *table, uint64_t now, struct trace_dns *done)
{
	for (int i = 0; i < TRACE_DNS_SLOTS; i++) {
		struct trace_dns *q = &table->slots[i];

		if (!q->query_ns || q->query_ns + TRACE_DNS_TIMEOUT_S * NS_PER_S > now)
			continue;
		*done = *q;
		done->head.time = q->query_ns + TRACE_DNS_TIMEOUT_S * NS_PER_S;
		q->query_ns = 0;
		return true;
	}
	return false;
}

uint64_t trace_dns_deadline(const struct trace_dns_table *table)
{
	uint64_t next = UINT64_MAX;

	for (int i = 0; table->slots && i < TRACE_DNS_SLOTS; i++)
		if (table->slots[i].query_ns &&
		    table->slots[i].query_ns + TRACE_DNS_TIMEOUT_S * NS_PER_S < next)
			next = table->slots[i].query_ns + TRACE_DNS_TIMEOUT_S * NS_PER_S;
	return next;
}
