/* SPDX-License-Identifier: MIT */
/* Parts of an event that its text line and its JSON object share. */
#ifndef CMD_TRACE_FORMAT_H
#define CMD_TRACE_FORMAT_H

#include "base/buf.h"
#include "net/dissect/dissect.h"
#include "trace/symbols.h"
#include "trace/trace.h"

enum { TRACE_FMT_CGROUPS = 4096, TRACE_FMT_CONTAINER = 13, TRACE_FMT_TEXTS = 5 };

/* A cgroup that a record has described. */
struct trace_fmt_cgroup {
	uint64_t id;
	char name[TRACE_CGROUP_NAME + 1];
	char container[TRACE_FMT_CONTAINER]; /* first twelve digits of its id; "": none */
};

/* What formatting takes besides a record. */
struct trace_fmt {
	const struct trace *trace;
	struct symbols symbols;
	struct trace_fmt_cgroup *cgroups; /* TRACE_FMT_CGROUPS of them, by id */
	uint64_t epoch; /* offset from the kernel's clock to the epoch, in nanoseconds */
	struct dissect_state *lines;       /* for dropped packets */
	bool colors;                       /* of failures in lines */
	struct buf texts[TRACE_FMT_TEXTS]; /* of a JSON object */
};

/* Returns 0 or -ENOMEM. Reports errors. */
int trace_fmt_open(struct trace_fmt *s, const struct trace *t);
void trace_fmt_close(struct trace_fmt *s);
/* Reads the clocks again: one of them may have been set. */
void trace_fmt_clock(struct trace_fmt *s);
/* Remembers a cgroup's name for later events. */
void trace_fmt_learn(struct trace_fmt *s, const struct trace_cgroup *c);

/* Names of kinds as they are typed and shown; NULL: internal. */
extern const char *const trace_kind_names[TRACE_KINDS];

/* NULL: unknown. */
const struct trace_fmt_cgroup *trace_fmt_cgroup(const struct trace_fmt *s, uint64_t id);
const char *trace_fmt_state(uint8_t state);
/* "connection refused" */
const char *trace_fmt_error(int error);
/* How a connection ended (enum trace_end), and why a segment was retransmitted (enum trace_resend):
 * in JSON (NULL: unknown) and in text. */
struct trace_words {
	const char *name, *words;
};
struct trace_words trace_fmt_end(uint8_t how);
struct trace_words trace_fmt_retransmit(uint8_t how);
/* Reason of a drop or a reset; NULL: the kernel does not tell. */
const char *trace_fmt_reason(const struct trace_fmt *s, const struct trace_event *e);
/* Appends the functions that led to a drop, innermost first, each between two texts. Returns their
 * number. */
uint32_t trace_fmt_stack(struct trace_fmt *s, const struct trace_event *e, const char *prefix,
			 const char *suffix, struct buf *out);
/* Appends a dropped packet as capture shows it, without a newline. False: not IP, or its bytes are
 * unknown. */
bool trace_fmt_packet(struct trace_fmt *s, const struct trace_packet *p, struct buf *out);
/* Appends an address, in brackets if it is IPv6 and a port follows. */
void trace_fmt_addr(struct buf *out, const struct trace_head *h, const uint8_t addr[16],
		    bool brackets);

#endif
