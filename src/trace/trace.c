/* SPDX-License-Identifier: MIT */
/* The programs are loaded once; each is attached by a descriptor, so that nothing stays. */
#include "trace/trace.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "gen/trace.gen.h"
#include "obj/tracing.h"
#include "sys/bpf.h"
#include "sys/mnt.h"

enum { WORDS = 160 };

/* The ways to hear what connect(2) and accept(2) return, the cheapest first. */
static const struct way {
	const char *name;
	uint32_t progs;
} ways[] = {
	{ "kprobes", 1u << TRACE_PROG_SONDE_TR_ASK | 1u << TRACE_PROG_SONDE_TR_ASKED |
			     1u << TRACE_PROG_SONDE_TR_TAKE },
	{ "sys_exit, which costs each system call of this host",
	  1u << TRACE_PROG_SONDE_TR_EXIT },
};

enum { RETURNS = 1u << TRACE_CONNECT | 1u << TRACE_ACCEPT };

/* Twice the connections that there are, and some. */
static uint32_t socks_for(const struct trace_wish *wish)
{
	char text[1024], *at;
	uint32_t n = 0;

	if (wish->socks)
		return wish->socks;
	if (mnt_read("proc", "/proc", "self/net/sockstat", text, sizeof(text)) > 0) {
		at = strstr(text, " alloc ");
		n = at ? (uint32_t)strtoul(at + 7, NULL, 10) : 0;
	}
	return n > (1u << 22) ? 1u << 23 : 2 * n + (1u << 13);
}

static int load(struct trace *t, uint32_t progs, bool returns)
{
	struct trace_conf conf = { .kinds = t->wish.kinds,
				   .filter = t->code.n != 0,
				   .returns = returns };
	struct obj_map maps[TRACE_NMAPS] = {
		[TRACE_MAP_EVENTS] = { .max_entries = t->wish.bytes },
		[TRACE_MAP_SOCKS] = { .max_entries = socks_for(&t->wish) },
	};
	struct obj_code stubs[TRACE_NPROGS];
	struct obj_opts opts = { .stubs = stubs,
				 .maps = maps,
				 .conf = &conf,
				 .progs = progs,
				 .verbose = t->wish.verbose };

	for (uint32_t i = 0; i < TRACE_NPROGS; i++)
		stubs[i] = (struct obj_code){ t->code.insns, (uint32_t)t->code.n, false };
	return obj_open(&t->obj, &trace_spec, &opts);
}

static int attach(struct trace *t, uint32_t prog)
{
	int fd = tracing_attach(&t->obj, prog);

	if (fd < 0)
		return fail_errno(fd, "tracing by %s", trace_spec.progs[prog].target);
	t->links[t->nlinks++] = fd;
	return 0;
}

static void detach(struct trace *t)
{
	while (t->nlinks)
		close(t->links[--t->nlinks]);
}

/* Loaded and attached with one way to hear results, or with none. */
static int open_way(struct trace *t, const struct way *way)
{
	uint32_t progs = 1u << TRACE_PROG_SONDE_TR_STATE |
			 (t->wish.there ? 1u << TRACE_PROG_SONDE_TR_THERE : 0) |
			 (way ? way->progs : 0);
	int rc = load(t, progs, way != NULL);

	if (!rc)
		rc = ring_open(&t->ring, t->obj.map_fd[TRACE_MAP_EVENTS], t->wish.bytes);
	for (uint32_t i = 0; i < TRACE_NPROGS && !rc; i++)
		if (progs & 1u << i && i != TRACE_PROG_SONDE_TR_THERE)
			rc = attach(t, i);
	if (rc) {
		detach(t);
		ring_close(&t->ring);
		obj_close(&t->obj);
	}
	t->returns = !rc && way ? way->name : NULL;
	return rc;
}

static int open_any(struct trace *t)
{
	char why[WORDS] = "";
	int rc = -ENOENT;

	for (size_t i = 0; t->wish.kinds & RETURNS && rc && i < sizeof(ways) / sizeof(*ways); i++) {
		struct err_held before = err_hold(why, sizeof(why));

		rc = open_way(t, &ways[i]);
		err_release(before);
	}
	return rc ? open_way(t, NULL) : 0;
}

int trace_open(struct trace *t, const struct trace_wish *wish)
{
	struct trace got = { .wish = *wish };
	struct diag diag = { 0 };
	int rc = 0;

	if (!got.wish.bytes)
		got.wish.bytes = TRACE_RING;
	if (wish->filter && wish->filter->nodes)
		rc = filter_emit(wish->filter, FILTER_XDP, &got.code, &diag);
	if (rc)
		fail(rc, "filter: %s", *diag.msg ? diag.msg : err_words(rc));
	else
		rc = open_any(&got);
	if (rc)
		trace_close(&got);
	else
		*t = got;
	return rc;
}

/* Records of the iterator: whole ones, as they fit into a read. */
static int read_there(int fd, trace_each *each, void *arg)
{
	struct trace_event e[32];
	ssize_t n;
	int rc = 0;

	while (!rc && (n = read(fd, e, sizeof(e))) > 0)
		for (size_t i = 0; !rc && i < (size_t)n / sizeof(*e); i++)
			rc = each(&e[i], arg);
	return rc ? rc : n < 0 ? -errno : 0;
}

int trace_there(struct trace *t, trace_each *each, void *arg)
{
	int fd = tracing_iterate(&t->obj, TRACE_PROG_SONDE_TR_THERE), rc;

	if (fd < 0)
		return fd;
	rc = read_there(fd, each, arg);
	close(fd);
	return rc;
}

struct reading {
	struct trace *t;
	trace_each *each;
	void *arg;
};

static int on_record(const void *rec, size_t len, void *arg)
{
	const struct reading *r = arg;

	if (len < sizeof(struct trace_event))
		return 0;
	r->t->told++;
	return r->each(rec, r->arg);
}

int trace_read(struct trace *t, trace_each *each, void *arg)
{
	struct reading r = { t, each, arg };

	return ring_read(&t->ring, on_record, &r);
}

int trace_counts(const struct trace *t, struct trace_counts *counts)
{
	struct trace_counts sum = { 0 }, *values;
	int cpus = bpf_possible_cpus(), rc;
	uint32_t zero = 0;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	rc = bpf_map_lookup(t->obj.map_fd[TRACE_MAP_COUNTS], &zero, values);
	for (int i = 0; i < cpus && !rc; i++) {
		sum.lost += values[i].lost;
		sum.blind += values[i].blind;
	}
	free(values);
	for (uint32_t i = 0; i < TRACE_NPROGS; i++)
		if (t->obj.prog_fd[i])
			sum.lost += tracing_missed(t->obj.prog_fd[i]);
	if (!rc)
		*counts = sum;
	return rc;
}

void trace_stop(struct trace *t)
{
	detach(t);
}

void trace_close(struct trace *t)
{
	detach(t);
	ring_close(&t->ring);
	obj_close(&t->obj);
	filter_code_close(&t->code);
	*t = (struct trace){ 0 };
}
