/* SPDX-License-Identifier: MIT */
/* The tracing programs where they watch the kernel, and what they tell. */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/diag.h"
#include "base/opt.h"
#include "bpf/trace.h"
#include "filter/emit.h"
#include "obj/obj.h"
#include "owner/owner.h"
#include "sys/map.h"
#include "sys/ring.h"

#define TRACE_BIT(kind) (UINT32_C(1) << (kind))

struct trace_opts {
	uint32_t kinds;              /* TRACE_BIT()s */
	uint32_t failures;           /* the same: of these those that failed */
	const struct filter *filter; /* the caller's for as long as the trace is open; NULL: all */
	uint32_t bytes;              /* of the ring; 0: as is useful */
	uint16_t dns_port;           /* 0: 53 */
	uint32_t socks;              /* that are known at a time; 0: as is useful */
	uint32_t text;               /* bytes of each piece of TLS; 0: as many as there may be */
	const struct opt_list *libs; /* files with a TLS library, besides those that are found */
	bool there;                  /* connections that there are, too */
	bool stacks;                 /* of drops */
	bool verbose;                /* the verifier's whole log, should it come to that */
};

enum trace_objs {
	TRACE_OBJ_SOCK_CALLS,
	TRACE_OBJ_SOCKS,
	TRACE_OBJ_TCP_EVENTS,
	TRACE_OBJ_DNS,
	TRACE_OBJ_TLS,
	TRACE_OBJS
};
enum { TRACE_LINKS_MAX = 2048, TRACE_SHARED = 6 };

/* Numbers as the running kernel names them: they differ from release to release. */
struct trace_names {
	struct buf text;  /* one behind the other, each with a NUL */
	uint32_t at[256]; /* by number, where in text; 0: there is none */
};

/* Zeroed: closed. */
struct trace {
	struct trace_opts opts;
	uint32_t missing; /* kinds that this kernel does not tell of */
	struct filter_code code;
	struct obj obj[TRACE_OBJS];
	int shared[TRACE_SHARED]; /* maps of the first that made them */
	int links[TRACE_LINKS_MAX];
	uint32_t nlinks;
	struct ring ring;
	struct owners owners; /* of sockets, for DNS */
	bool can_read_kernel; /* kernel memory may be copied */
	const char *returns;  /* how the results of system calls are heard of; NULL: they are not */
	struct trace_names drops, resets;
	uint32_t libs; /* files where TLS is watched */
};

/* Whether a filter is about what connections have: 0, or -EINVAL with why->msg. */
int trace_filter_fits(const struct filter *f, struct diag *why);
/* The same of what processes have. */
int trace_filter_owners(const struct filter *f, struct diag *why);

/* Load and attach. What this kernel cannot tell of is left out with a word, if there is more. Said
 * on failure, and nothing stays behind. */
int trace_open(struct trace *t, const struct trace_opts *opts);

/* Called with each record, which is gone after the call: what it is, its kind says. A value other
 * than 0 ends the reading and is returned. */
typedef int trace_each(const struct trace_head *rec, size_t len, void *arg);
/* The connections that there were at the start: records of struct trace_event. 0, what each()
 * returned, or -errno, unsaid: there is no looking. */
int trace_list_existing(struct trace *t, trace_each *each, void *arg);
/* What has come since; t->ring.fd can be polled for it. */
int trace_read(struct trace *t, trace_each *each, void *arg);

/* A probe's descriptor, to be closed with the rest. False: there are too many; it is closed. */
bool trace_hold(struct trace *t, int fd);

/* A process's name, ended by NUL, in comm. Returns that. */
const char *trace_comm(const struct trace_who *who, char comm[TRACE_COMM + 1]);

/* The kernel's name for a number; NULL: it has none. */
const char *trace_name(const struct trace_names *names, uint32_t number);

/* Records that there was no room for, or that were passed over by the kernel. 0 or -errno. */
int trace_counts(const struct trace *t, struct trace_counts *counts);

/* Packets dropped so far: called with each struct trace_drop. */
int trace_drops(const struct trace *t, map_each_count *each, void *arg);
/* Addresses of a drop's stack, innermost first; their number. */
uint32_t trace_stack(const struct trace *t, int32_t stack, uint64_t frames[TRACE_FRAMES]);

/* No more is told; what was is still in the ring. */
void trace_stop(struct trace *t);
void trace_close(struct trace *t);

#endif
