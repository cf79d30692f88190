/* SPDX-License-Identifier: MIT */
/* Pairs DNS queries with their answers. */
#ifndef TRACE_DNS_PAIRS_H
#define TRACE_DNS_PAIRS_H

#include "bpf/trace.h"
#include "net/dns.h"

enum { TRACE_DNS_SLOTS = 2048, TRACE_DNS_BUCKET = 8, TRACE_DNS_TIMEOUT_S = 5 };

/* A query and its outcome. */
struct trace_dns {
	struct trace_head head; /* of the query; .time: of the answer, or when the query expired */
	uint64_t query_ns;      /* when it was sent; 0: the query was not seen */
	uint32_t queries;       /* how often it was sent */
	bool answered;
	struct dns_summary msg; /* the answer, or the query if there is none */
};

/* Zeroed: closed. */
struct trace_dns_table {
	struct trace_dns *slots; /* TRACE_DNS_SLOTS of them; .query_ns 0: free */
	uint64_t evicted;        /* queries replaced before their answer */
};

/* Returns 0 or -errno. Reports errors. */
int trace_dns_open(struct trace_dns_table *table);
/* Adds a message. Returns true if it is an answer, with the pair in *done. */
bool trace_dns_add(struct trace_dns_table *table, const struct trace_message *m,
		   struct trace_dns *done);
/* Takes a query that has waited TRACE_DNS_TIMEOUT_S at the time now (CLOCK_MONOTONIC, ns;
 * UINT64_MAX: any query). Returns false if there is none. */
bool trace_dns_expire(struct trace_dns_table *table, uint64_t now, struct trace_dns *done);
/* When the next query expires, in ns of CLOCK_MONOTONIC; UINT64_MAX: none is waiting. */
uint64_t trace_dns_deadline(const struct trace_dns_table *table);
void trace_dns_close(struct trace_dns_table *table);

#endif
