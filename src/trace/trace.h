/* SPDX-License-Identifier: MIT */
/* The tracing programs where they watch the kernel, and what they tell. */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/diag.h"
#include "bpf/trace.h"
#include "filter/emit.h"
#include "obj/obj.h"
#include "sys/ring.h"

#define TRACE_BIT(kind) (1u << (kind))

struct trace_wish {
	uint32_t kinds;              /* TRACE_BIT()s */
	const struct filter *filter; /* the caller's for as long as the trace is open; NULL: all */
	uint32_t bytes;              /* of the ring; 0: as is useful */
	uint32_t socks;              /* that are known at a time; 0: as is useful */
	bool there;                  /* connections that there are, too */
	bool verbose;                /* the verifier's whole log, should it come to that */
};

enum { TRACE_LINKS_MAX = 16 };

/* Zeroed: closed. */
struct trace {
	struct trace_wish wish;
	struct filter_code code;
	struct obj obj;
	int links[TRACE_LINKS_MAX];
	uint32_t nlinks;
	struct ring ring;
	const char *returns; /* how the results of system calls are heard of; NULL: they are not */
	uint64_t told;       /* records that were read */
};

/* Whether a filter is about what connections have: 0, or -EINVAL with why->msg. */
int trace_filter_fits(const struct filter *f, struct diag *why);

/* Load and attach. Said on failure, and nothing stays behind. */
int trace_open(struct trace *t, const struct trace_wish *wish);

/* Called with each record, which is gone after the call: e->head.bytes follow it. A value other
 * than 0 ends the reading and is returned. */
typedef int trace_each(const struct trace_event *e, void *arg);
/* The connections that there were at the start. 0, what each() returned, or -errno, unsaid: there
 * is no looking. */
int trace_there(struct trace *t, trace_each *each, void *arg);
/* What has come since; t->ring.fd can be polled for it. */
int trace_read(struct trace *t, trace_each *each, void *arg);

/* Records that there was no room for, or that were passed over by the kernel. */
int trace_counts(const struct trace *t, struct trace_counts *counts);
/* No more is told; what was is still in the ring. */
void trace_stop(struct trace *t);
void trace_close(struct trace *t);

#endif
