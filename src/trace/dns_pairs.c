/* SPDX-License-Identifier: MIT */
/* A question is told by its ends and its number; asked again, it has both. */
#include "trace/dns_pairs.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/err.h"

enum { AGAIN_NS = 10000000 }; /* sooner, it is the same packet at another interface */

int trace_dns_begin(struct trace_dns_open *open)
{
	open->at = calloc(TRACE_DNS_OPEN, sizeof(*open->at));
	return open->at ? 0 : fail_errno(-ENOMEM, "questions of DNS");
}

void trace_dns_end(struct trace_dns_open *open)
{
	free(open->at);
	*open = (struct trace_dns_open){ 0 };
}

static bool is_same(const struct trace_dns *q, const struct trace_head *h, uint16_t id)
{
	const struct trace_head *a = &q->head;

	return q->asked && q->says.id == id && a->lport == h->lport && a->rport == h->rport &&
	       a->proto == h->proto && a->family == h->family &&
	       !memcmp(a->local, h->local, sizeof(a->local)) &&
	       !memcmp(a->remote, h->remote, sizeof(a->remote));
}

/* Where a question may be: a few places in a row. */
static struct trace_dns *places(const struct trace_dns_open *open, const struct trace_head *h,
				uint16_t id)
{
	uint32_t hash = (id ^ (uint32_t)h->lport << 16 ^ h->rport) * UINT32_C(0x9e3779b1) >> 16;

	return &open->at[hash % (TRACE_DNS_OPEN / TRACE_DNS_WAYS) * TRACE_DNS_WAYS];
}

static struct trace_dns *find(const struct trace_dns_open *open, const struct trace_head *h,
			      uint16_t id)
{
	struct trace_dns *at = places(open, h, id);

	for (int i = 0; i < TRACE_DNS_WAYS; i++)
		if (is_same(&at[i], h, id))
			return &at[i];
	return NULL;
}

/* A free place, or that of the oldest, which is given up. */
static struct trace_dns *place(struct trace_dns_open *open, const struct trace_head *h, uint16_t id)
{
	struct trace_dns *at = places(open, h, id), *oldest = at;

	for (int i = 0; i < TRACE_DNS_WAYS && oldest->asked; i++)
		if (at[i].asked < oldest->asked)
			oldest = &at[i];
	open->given_up += oldest->asked != 0;
	return oldest;
}

bool trace_dns_add(struct trace_dns_open *open, const struct trace_message *m,
		   struct trace_dns *done)
{
	uint32_t len = m->head.bytes < TRACE_MESSAGE ? m->head.bytes : TRACE_MESSAGE;
	struct trace_dns *q;
	struct dns_summary says;

	if (!dns_parse_message(&says, cursor_of(m->bytes, len)))
		return false;
	q = find(open, &m->head, says.id);
	if (!says.response) {
		if (q && m->head.time - q->head.time >= AGAIN_NS)
			q->times++;
		if (q)
			return false;
		q = place(open, &m->head, says.id);
		*q = (struct trace_dns){ .head = m->head, .asked = m->head.time, .times = 1 };
		q->says = says;
		return false;
	}
	*done = q ? *q : (struct trace_dns){ .head = m->head };
	done->head.time = m->head.time;
	done->answered = true;
	done->says = says;
	if (q)
		q->asked = 0;
	return true;
}

bool trace_dns_late(struct trace_dns_open *open, uint64_t now, struct trace_dns *done)
{
	for (int i = 0; i < TRACE_DNS_OPEN; i++) {
		struct trace_dns *q = &open->at[i];

		if (!q->asked || q->asked + TRACE_DNS_PATIENCE_S * NS_PER_S > now)
			continue;
		*done = *q;
		done->head.time = q->asked + TRACE_DNS_PATIENCE_S * NS_PER_S;
		q->asked = 0;
		return true;
	}
	return false;
}

uint64_t trace_dns_next(const struct trace_dns_open *open)
{
	uint64_t next = UINT64_MAX;

	for (int i = 0; open->at && i < TRACE_DNS_OPEN; i++)
		if (open->at[i].asked && open->at[i].asked + TRACE_DNS_PATIENCE_S * NS_PER_S < next)
			next = open->at[i].asked + TRACE_DNS_PATIENCE_S * NS_PER_S;
	return next;
}
