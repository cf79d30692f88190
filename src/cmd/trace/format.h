/* SPDX-License-Identifier: MIT */
/* A record of the tracing programs in words: what its text line and its JSON object share. */
#ifndef CMD_TRACE_FORMAT_H
#define CMD_TRACE_FORMAT_H

#include "base/buf.h"
#include "net/dissect/dissect.h"
#include "trace/symbols.h"
#include "trace/trace.h"

enum { TRACE_SAY_CGROUPS = 4096, TRACE_SAY_CONTAINER = 13 };

/* A cgroup as it was told of. */
struct trace_fmt_cgroup {
	uint64_t id;
	char name[TRACE_CGROUP_NAME + 1];
	char container[TRACE_SAY_CONTAINER]; /* the first twelve digits of an ID; "": it is none's
					      */
};

/* What is known beyond a record. */
struct trace_fmt {
	const struct trace *trace;
	struct symbols symbols;
	struct trace_fmt_cgroup *cgroups; /* TRACE_SAY_CGROUPS of them, by id */
	uint64_t epoch;                   /* of the kernel's clock, in nanoseconds since 1970 */
	struct dissect_state *lines;      /* of dropped packets */
};

int trace_fmt_open(struct trace_fmt *s, const struct trace *t);
void trace_fmt_close(struct trace_fmt *s);
/* Look at the clocks again: one of them may have been set. */
void trace_fmt_clock(struct trace_fmt *s);
void trace_fmt_learn(struct trace_fmt *s, const struct trace_cgroup *c);

/* Names of kinds as they are typed and shown. */
extern const char *const trace_kind_names[TRACE_KINDS];

/* NULL: not known. */
const struct trace_fmt_cgroup *trace_fmt_cgroup(const struct trace_fmt *s, uint64_t id);
const char *trace_fmt_state(uint8_t state);
/* "connection refused" */
const char *trace_fmt_error(int error);
/* How a connection ended (enum trace_end); what made a segment be sent again (enum trace_resend):
 * as programs read it, and as people do. */
struct trace_words {
	const char *name, *words;
};
struct trace_words trace_fmt_end(uint8_t how);
struct trace_words trace_fmt_retransmit(uint8_t how);
/* The reason of a drop or a reset; NULL: the kernel does not say. */
const char *trace_fmt_reason(const struct trace_fmt *s, const struct trace_event *e);
/* Append the functions that led to a drop, each between two texts, innermost first. Their number.
 */
uint32_t trace_fmt_stack(struct trace_fmt *s, const struct trace_event *e, const char *before,
			 const char *behind, struct buf *out);
/* Append a dropped packet as capture shows it, without a newline. False: it is no IP, or its bytes
 * are not known. */
bool trace_fmt_packet(struct trace_fmt *s, const struct trace_packet *p, struct buf *out);
/* Append an address, in brackets if a port follows that would be taken for a part of it. */
void trace_fmt_addr(struct buf *out, const struct trace_head *h, const uint8_t addr[16],
		    bool brackets);

#endif
