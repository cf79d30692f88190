/* SPDX-License-Identifier: MIT */
/* Each program is attached by a descriptor, so that nothing stays. */
#include "trace/load.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "gen/sock_calls.gen.h"
#include "gen/tcp_events.gen.h"
#include "obj/tracing.h"
#include "sys/perf.h"

/* Programs are written for one function; these are put at another one, too, where there is that. */
static const struct more {
	const struct spec *spec;
	uint32_t prog;
	const char *function;
} more[] = {
	{ &sock_calls_spec, SOCK_CALLS_PROG_SONDE_CONN, "inet_bind" },
	{ &sock_calls_spec, SOCK_CALLS_PROG_SONDE_CONN, "inet6_bind" },
	{ &sock_calls_spec, SOCK_CALLS_PROG_SONDE_BIND_RET, "inet6_bind" },
	{ &tcp_events_spec, TCP_EVENTS_PROG_SONDE_ACCEPTQ, "tcp_v6_syn_recv_sock" },
};

static int attach_more(struct trace *t, const struct obj *o)
{
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++) {
		uint32_t prog = more[i].prog;
		int fd;

		if (o->spec != more[i].spec || !o->prog_fd[prog])
			continue;
		fd = perf_attach_kprobe(more[i].function, o->spec->progs[prog].returns,
					o->prog_fd[prog]);
		if (fd >= 0)
			t->links[t->nlinks++] = fd;
		else if (fd != -ENOENT)
			return fail_errno(fd, "tracing by %s", more[i].function);
	}
	return 0;
}

bool trace_hold(struct trace *t, int fd)
{
	if (t->nlinks == TRACE_LINKS_MAX) {
		close(fd);
		return false;
	}
	t->links[t->nlinks++] = fd;
	return true;
}

static int attach(struct trace *t, const struct obj *o, uint32_t prog)
{
	int fd = tracing_attach(o, prog);

	if (fd < 0)
		return fail_errno(fd, "tracing by %s", o->spec->progs[prog].target);
	t->links[t->nlinks++] = fd;
	return 0;
}

void trace_detach(struct trace *t, uint32_t from)
{
	while (t->nlinks > from)
		close(t->links[--t->nlinks]);
}

/* Maps that specs have together, by their names. */
static const char *const shared[] = {
	"events", "counts", "cgroups", "socks", "listeners", "early"
};
_Static_assert(sizeof(shared) / sizeof(*shared) == TRACE_SHARED, "as many as struct trace has");

/* Those that are open are used by who comes later; sizes are told to who comes first. */
static void share(const struct trace *t, const struct spec *spec, struct obj_map *maps)
{
	for (uint32_t i = 0; i < spec->nmaps; i++) {
		for (int k = 0; k < TRACE_SHARED; k++)
			if (!strcmp(spec->maps[i].name, shared[k]))
				maps[i].fd = t->shared[k];
		if (!strcmp(spec->maps[i].name, "events"))
			maps[i].max_entries = t->opts.bytes;
		else if (!strcmp(spec->maps[i].name, "socks"))
			maps[i].max_entries = t->opts.socks;
	}
}

void trace_share(struct trace *t, const struct obj *o)
{
	for (uint32_t i = 0; i < o->spec->nmaps; i++)
		for (int k = 0; k < TRACE_SHARED; k++)
			if (!t->shared[k] && !strcmp(o->spec->maps[i].name, shared[k]))
				t->shared[k] = o->map_fd[i];
}

/* Load some of a spec's programs, with the filter in its place. */
int trace_load(struct trace *t, enum trace_objs which, const struct spec *spec,
	       struct obj_opts *opts, struct obj_map *maps)
{
	struct obj_code stubs[OBJ_PROGS_MAX];

	for (uint32_t i = 0; i < spec->nprogs; i++)
		stubs[i] = (struct obj_code){ t->code.insns, (uint32_t)t->code.n, false };
	share(t, spec, maps);
	opts->maps = maps;
	opts->stubs = stubs;
	opts->verbose = t->opts.verbose;
	return obj_open(&t->obj[which], spec, opts);
}

/* And attach them. */
int trace_put(struct trace *t, enum trace_objs which, const struct spec *spec,
	      struct obj_opts *opts)
{
	struct obj_map maps[OBJ_MAPS_MAX] = { 0 };
	struct obj *o = &t->obj[which];
	uint32_t before = t->nlinks;
	int rc = trace_load(t, which, spec, opts, maps);

	for (uint32_t i = 0; i < spec->nprogs && !rc; i++)
		if (opts->progs & 1u << i && spec->progs[i].attach_type != BPF_TRACE_ITER)
			rc = attach(t, o, i);
	if (!rc)
		rc = attach_more(t, o);
	if (rc) {
		trace_detach(t, before);
		obj_close(o);
	}
	return rc;
}
