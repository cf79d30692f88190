/* SPDX-License-Identifier: MIT */
/* What the tracing programs have told so far: records, counts, stacks. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "gen/segments.gen.h"
#include "gen/trace.gen.h"
#include "obj/tracing.h"
#include "sys/bpf.h"
#include "trace/load.h"

/* Records of the iterator: whole ones, as they fit into a read. */
static int read_there(struct trace *t, int fd, trace_each *each, void *arg)
{
	struct trace_event e[32];
	ssize_t n;
	int rc = 0;

	while (!rc && (n = read(fd, e, sizeof(e))) > 0) {
		rc = trace_read(t, each, arg); /* the names of their cgroups */
		for (size_t i = 0; !rc && i < (size_t)n / sizeof(*e); i++)
			rc = each(&e[i].head, sizeof(e[i]), arg);
	}
	return rc ? rc : n < 0 ? -errno : 0;
}

int trace_there(struct trace *t, trace_each *each, void *arg)
{
	int fd = !t->obj[TRACE_OBJ_SOCKS].prog_fd[TRACE_PROG_SONDE_TR_THERE]
			 ? -EPERM
			 : tracing_iterate(&t->obj[TRACE_OBJ_SOCKS], TRACE_PROG_SONDE_TR_THERE),
	    rc;

	if (fd < 0)
		return fd;
	rc = read_there(t, fd, each, arg);
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

	if (len < sizeof(struct trace_head))
		return 0;
	return r->each(rec, len, r->arg);
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
	rc = bpf_map_lookup(t->shared[TRACE_SHARED_COUNTS], &zero, values);
	for (int i = 0; i < cpus && !rc; i++) {
		sum.lost += values[i].lost;
		sum.blind += values[i].blind;
	}
	free(values);
	for (int which = 0; which < TRACE_OBJS; which++)
		for (int i = 0; i < OBJ_PROGS_MAX; i++)
			if (t->obj[which].prog_fd[i] &&
			    (which != TRACE_OBJ_SOCKS || i != TRACE_PROG_SONDE_TR_OWN))
				sum.lost += tracing_missed(t->obj[which].prog_fd[i]);
	if (!rc)
		*counts = sum;
	return rc;
}

int trace_drops(const struct trace *t, trace_drops_each *each, void *arg)
{
	int fd = t->obj[TRACE_OBJ_SEGMENTS].map_fd[SEGMENTS_MAP_DROPS], rc;
	struct trace_drop drop;
	uint64_t packets;

	if (!fd)
		return 0;
	rc = bpf_map_next_key(fd, NULL, &drop);
	while (!rc) {
		if (!bpf_map_lookup(fd, &drop, &packets))
			rc = each(&drop, packets, arg);
		if (!rc)
			rc = bpf_map_next_key(fd, &drop, &drop);
	}
	return rc == -ENOENT ? 0 : rc;
}

uint32_t trace_stack(const struct trace *t, int32_t stack, uint64_t frames[TRACE_FRAMES])
{
	int fd = t->obj[TRACE_OBJ_SEGMENTS].map_fd[SEGMENTS_MAP_STACKS];
	uint32_t n = 0;

	if (!fd || stack < 0 || bpf_map_lookup(fd, &stack, frames))
		return 0;
	while (n < TRACE_FRAMES && frames[n])
		n++;
	return n;
}
