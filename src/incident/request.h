/* SPDX-License-Identifier: MIT */
/* A request for a sample, and what follows from it: which packets, into which file. */
#ifndef INCIDENT_REQUEST_H
#define INCIDENT_REQUEST_H

#include "gate/guard_view.h"
#include "guard/rates.h"

enum { SAMPLE_NAME = 64 };

/* What is sent to the sampler, which shares the memory of the views' tables. It answers with the
 * file's name and a NUL; empty: there is no file. */
struct sample_request {
	uint32_t view, n, entry[GUARD_BUSIEST];
};

/* Makes a request for at most GUARD_BUSIEST of n entries of a view's table. */
struct sample_request sample_request_of(size_t view, const struct guard_busy *busy, size_t n);
/* Whether a request names a view and entries that exist. */
bool sample_request_is_valid(const struct sample_request *r, const struct guard_views *views);

/* Names the file of a sample: the interface, and the time (ns since the epoch) in UTC. */
void sample_name(char name[SAMPLE_NAME], const char *iface, uint64_t time_ns);

/* Appends the filter expression of a sample, with a NUL: what the gate drops where it reports
 * verdicts; else the source addresses of the busiest entries, the only keys that are simple to
 * express; else nothing, which is every packet. */
void sample_append_filter(const struct guard_view *v, const uint32_t *entries, uint32_t n,
			  struct buf *expr);

#endif
