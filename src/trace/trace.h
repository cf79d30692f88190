/* SPDX-License-Identifier: MIT */
/* Loads and attaches the tracing programs, and reads their records. */
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
	uint32_t failures;           /* the same: report only those that failed */
	const struct filter *filter; /* the caller's, while the trace is open; NULL: none */
	uint32_t ring_bytes;         /* 0: default */
	uint16_t dns_port;           /* 0: 53 */
	uint32_t max_socks;  /* sockets tracked at a time; 0: by the number of existing ones */
	uint32_t text_bytes; /* bytes of each TLS read or write; 0: the maximum */
	const struct opt_list *tls_files; /* files with a TLS library, besides those found */
	bool existing;                    /* list existing connections */
	bool stacks;                      /* record the stacks of drops */
	bool verbose;                     /* on failure print the verifier's whole log */
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

/* Names of the running kernel's numbers, which differ between releases. */
struct trace_names {
	struct buf text;  /* names, each with a NUL */
	uint32_t at[256]; /* offset in text by number; 0: none */
};

/* Zeroed: closed. */
struct trace {
	struct trace_opts opts;
	uint32_t missing; /* kinds that this kernel cannot report */
	struct filter_code code;
	struct obj obj[TRACE_OBJS];
	int shared_maps[TRACE_SHARED]; /* created by the first program that has them */
	int links[TRACE_LINKS_MAX];
	uint32_t nlinks;
	struct ring ring;
	struct owners owners;    /* of sockets, for DNS */
	bool can_read_kernel;    /* kernel memory may be copied */
	const char *call_method; /* how results of system calls are seen; NULL: they are not */
	struct trace_names drop_reasons, reset_reasons;
	uint32_t ntls_files; /* files with a TLS library that are watched */
};

/* Checks that a filter uses only what connections have. Returns 0, or -EINVAL with why->msg. */
int trace_filter_check(const struct filter *f, struct diag *why);
/* Checks the conditions on processes in the same way. */
int trace_filter_check_owners(const struct filter *f, struct diag *why);

/* Loads and attaches. Kinds that this kernel cannot report are left out with a note, unless none
 * remains. Returns 0 or -errno, leaving nothing open. Reports errors. */
int trace_open(struct trace *t, const struct trace_opts *opts);

/* Called with each record, valid during the call; its kind determines its type. Returning anything
 * but 0 stops reading. */
typedef int trace_each(const struct trace_head *rec, size_t len, void *arg);
/* Passes on the connections that existed at the start, as struct trace_event. Returns 0, what
 * each() returned, or -errno. Does not report errors. */
int trace_list_existing(struct trace *t, trace_each *each, void *arg);
/* Passes on the records that have arrived; t->ring.fd can be polled for them. Returns 0, what
 * each() returned, or -errno. Does not report errors. */
int trace_read(struct trace *t, trace_each *each, void *arg);

/* Keeps a link's descriptor until the trace is closed. Returns false if it has too many links; then
 * fd is closed. */
bool trace_keep_link(struct trace *t, int fd);

/* Copies a process's name to comm, with a NUL. Returns comm. */
const char *trace_comm(const struct trace_proc *proc, char comm[TRACE_COMM + 1]);

/* Returns the kernel's name of a number; NULL: unknown. */
const char *trace_find_name(const struct trace_names *names, uint32_t number);

/* Counts records without room, and runs that the kernel skipped. Returns 0 or -errno. Does not
 * report errors. */
int trace_counts(const struct trace *t, struct trace_counts *counts);

/* Passes on the counts of dropped packets: each struct trace_drop with its number. */
int trace_walk_drops(const struct trace *t, map_each_count *each, void *arg);
/* Fills frames with the addresses of a drop's stack, innermost first. Returns their number. */
uint32_t trace_read_stack(const struct trace *t, int32_t stack, uint64_t frames[TRACE_FRAMES]);

/* Detaches: no more events; those that happened are still in the ring. */
void trace_stop(struct trace *t);
void trace_close(struct trace *t);

#endif
