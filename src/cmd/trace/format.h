/* SPDX-License-Identifier: MIT */
/* Formats the parts that an event's text line and JSON object share. */
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

/* What formatting needs besides a record. */
struct trace_fmt {
	const struct trace *trace;
	struct symbols symbols;
	struct trace_fmt_cgroup *cgroups;  /* TRACE_FMT_CGROUPS of them, by id */
	uint64_t epoch;                    /* offset from clock_mono() to the epoch, in ns */
	struct dissect_state *lines;       /* state of the dissector, for dropped packets */
	bool colors;                       /* show failures in color in lines */
	struct buf texts[TRACE_FMT_TEXTS]; /* texts of a JSON object */
};

/* Opens the state. Returns 0 or -ENOMEM. Reports errors. */
int trace_fmt_open(struct trace_fmt *s, const struct trace *t);
void trace_fmt_close(struct trace_fmt *s);
/* Reads the clocks again, as one of them may have been set. */
void trace_fmt_clock(struct trace_fmt *s);
/* Stores a cgroup's name for later events. */
void trace_fmt_learn(struct trace_fmt *s, const struct trace_cgroup *c);

/* Names of kinds in operands and output; NULL: an internal kind. */
extern const char *const trace_kind_names[TRACE_KINDS];

/* Returns the cgroup with this id; NULL: unknown. */
const struct trace_fmt_cgroup *trace_fmt_cgroup(const struct trace_fmt *s, uint64_t id);
const char *trace_fmt_state(uint8_t state);
/* Returns the text of an error number, such as "connection refused". */
const char *trace_fmt_error(int error);
/* The end of a connection (enum trace_end) and the reason of a retransmission (enum trace_resend):
 * in JSON (NULL: unknown) and in text. */
struct trace_words {
	const char *name, *words;
};
struct trace_words trace_fmt_end(uint8_t how);
struct trace_words trace_fmt_retransmit(uint8_t how);
/* Returns the reason of a drop or a reset; NULL: the kernel does not report it. */
const char *trace_fmt_reason(const struct trace_fmt *s, const struct trace_event *e);
/* Appends the functions that led to a drop, innermost first, each between prefix and suffix.
 * Returns their number. */
uint32_t trace_fmt_stack(struct trace_fmt *s, const struct trace_event *e, const char *prefix,
			 const char *suffix, struct buf *out);
/* Appends a dropped packet in the format of sonde capture, without a newline. Returns false if it
 * is not IP or its bytes are unknown. */
bool trace_fmt_packet(struct trace_fmt *s, const struct trace_packet *p, struct buf *out);
/* Appends an address, in brackets if it is IPv6 and a port follows. */
void trace_fmt_addr(struct buf *out, const struct trace_head *h, const uint8_t addr[16],
		    bool brackets);

#endif
