/* SPDX-License-Identifier: MIT */
/* What the tracing programs have told so far: records, counts, stacks. */
#include <errno.h>
#include <unistd.h>
#include "gen/tcp_events.gen.h"
#include "gen/trace.gen.h"
#include "obj/tracing.h"
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

int trace_list_existing(struct trace *t, trace_each *each, void *arg)
{
	int fd = !t->obj[TRACE_OBJ_SOCKS].prog_fd[TRACE_PROG_SONDE_SOCK_ITER]
			 ? -EPERM
			 : tracing_iterate(&t->obj[TRACE_OBJ_SOCKS], TRACE_PROG_SONDE_SOCK_ITER),
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
	uint32_t zero = 0;
	int rc = map_read_sums(t->shared[TRACE_SHARED_COUNTS], &zero, (uint64_t *)counts,
			       TRACE_COUNTS);

	/* Looking for an owner tells nobody of anything. */
	for (int i = 0; !rc && i < TRACE_OBJS; i++)
		counts->lost += tracing_missed(
			&t->obj[i], i == TRACE_OBJ_SOCKS ? TRACE_PROG_SONDE_SOCK_PROC : UINT32_MAX);
	return rc;
}

int trace_drops(const struct trace *t, map_each_count *each, void *arg)
{
	return map_walk_counts(t->obj[TRACE_OBJ_TCP_EVENTS].map_fd[TCP_EVENTS_MAP_DROPS],
			       sizeof(struct trace_drop), each, arg);
}

uint32_t trace_stack(const struct trace *t, int32_t stack, uint64_t frames[TRACE_FRAMES])
{
	return map_read_stack(t->obj[TRACE_OBJ_TCP_EVENTS].map_fd[TCP_EVENTS_MAP_STACKS], stack,
			      frames, TRACE_FRAMES);
}
