/* SPDX-License-Identifier: MIT */
/* A request for a sample, and the packets and the file that it selects. */
#ifndef INCIDENT_REQUEST_H
#define INCIDENT_REQUEST_H

#include "gate/guard_view.h"
#include "guard/rates.h"

enum { SAMPLE_NAME = 64 };

/* Sent to the sampler, which shares the memory of the views' tables. The sampler answers with the
 * file's name and a NUL; an empty name: no file. */
struct sample_request {
	uint32_t view, n, entry[GUARD_BUSIEST];
};

/* Makes a request for the first GUARD_BUSIEST of n entries of a view's table. */
struct sample_request sample_request_of(size_t view, const struct guard_busy *busy, size_t n);
/* Returns true if the request's view and entries exist. */
bool sample_request_is_valid(const struct sample_request *r, const struct guard_views *views);

/* Names a sample's file after the interface and the time in UTC. time_ns: since the epoch. */
void sample_name(char name[SAMPLE_NAME], const char *iface, uint64_t time_ns);

/* Appends the filter expression of a sample, with a NUL: the packets that the gate drops if it
 * reports verdicts; else the source addresses of the busiest entries, the only keys that are simple
 * to express; else nothing, which matches every packet. */
void sample_append_filter(const struct guard_view *v, const uint32_t *entries, uint32_t n,
			  struct buf *expr);

#endif
