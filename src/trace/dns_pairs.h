/* SPDX-License-Identifier: MIT */
/* Questions of DNS, kept until they are answered. */
#ifndef TRACE_DNS_PAIRS_H
#define TRACE_DNS_PAIRS_H

#include "bpf/trace.h"
#include "net/dns.h"

enum { TRACE_DNS_OPEN = 2048, TRACE_DNS_WAYS = 8, TRACE_DNS_PATIENCE_S = 5 };

/* A question and what became of it. */
struct trace_dns {
	struct trace_head head; /* of the question; .time: of the answer, or when it was given up */
	uint64_t asked;         /* 0: the question was not seen */
	uint32_t times;         /* that it was asked */
	bool answered;
	struct dns_summary says; /* of the answer, if there is one */
};

/* Zeroed: not begun. */
struct trace_dns_open {
	struct trace_dns *at; /* TRACE_DNS_OPEN of them; .asked 0: free */
	uint64_t given_up;    /* questions there was no room for */
};

int trace_dns_begin(struct trace_dns_open *open);
/* A message. Returns true, and *done, if it is an answer. */
bool trace_dns_add(struct trace_dns_open *open, const struct trace_message *m,
		   struct trace_dns *done);
/* One that was not answered for long before now (as trace_head.time; UINT64_MAX: any). False: there
 * is none. */
bool trace_dns_late(struct trace_dns_open *open, uint64_t now, struct trace_dns *done);
/* When the next one is late; UINT64_MAX: never. */
uint64_t trace_dns_next(const struct trace_dns_open *open);
void trace_dns_end(struct trace_dns_open *open);

#endif
