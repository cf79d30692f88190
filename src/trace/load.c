/* SPDX-License-Identifier: MIT */
/* Attaches programs by descriptors, so that they are detached when the process ends. */
#include "base/array.h"
#include "trace/load.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "gen/sock_calls.gen.h"
#include "gen/tcp_events.gen.h"
#include "obj/tracing.h"
#include "sys/perf.h"

/* Other functions that a program is attached to, where they exist. */
static const struct extra_target {
	const struct spec *spec;
	uint32_t prog;
	const char *function;
} extra_targets[] = {
	{ &sock_calls_spec, SOCK_CALLS_PROG_SONDE_CONN, "inet_bind" },
	{ &sock_calls_spec, SOCK_CALLS_PROG_SONDE_CONN, "inet6_bind" },
	{ &sock_calls_spec, SOCK_CALLS_PROG_SONDE_BIND_RET, "inet6_bind" },
	{ &tcp_events_spec, TCP_EVENTS_PROG_SONDE_ACCEPTQ, "tcp_v6_syn_recv_sock" },
};

static int attach_extra(struct trace *t, const struct obj *o)
{
	for (size_t i = 0; i < ARRAY_LEN(extra_targets); i++) {
		uint32_t prog = extra_targets[i].prog;
		int fd;

		if (o->spec != extra_targets[i].spec || !o->prog_fd[prog])
			continue;
		fd = perf_attach_kprobe(extra_targets[i].function, o->spec->progs[prog].returns,
					o->prog_fd[prog]);
		if (fd >= 0)
			t->links[t->nlinks++] = fd;
		else if (fd != -ENOENT)
			return fail_errno(fd, "attaching to %s", extra_targets[i].function);
	}
	return 0;
}

bool trace_keep_link(struct trace *t, int fd)
{
	if (t->nlinks == TRACE_LINKS_MAX) {
		close(fd);
		return false;
	}
	t->links[t->nlinks++] = fd;
	return true;
}

static int attach_prog(struct trace *t, const struct obj *o, uint32_t prog)
{
	int fd = tracing_attach(o, prog);

	if (fd < 0)
		return fail_errno(fd, "attaching to %s", o->spec->progs[prog].target);
	t->links[t->nlinks++] = fd;
	return 0;
}

void trace_detach(struct trace *t, uint32_t from)
{
	while (t->nlinks > from)
		close(t->links[--t->nlinks]);
}

const char *const trace_shared_names[TRACE_SHARED] = {
	[TRACE_SHARED_EVENTS] = "events",
	[TRACE_SHARED_COUNTS] = "counts",
	"cgroups",
	"socks",
	"listeners",
	"early_accepts",
};

/* Passes on the shared maps that exist, and sizes for those that do not. */
static void use_shared_maps(const struct trace *t, const struct spec *spec, struct obj_map *maps)
{
	for (uint32_t i = 0; i < spec->nmaps; i++) {
		for (int k = 0; k < TRACE_SHARED; k++)
			if (!strcmp(spec->maps[i].name, trace_shared_names[k]))
				maps[i].fd = t->shared_maps[k];
		if (!strcmp(spec->maps[i].name, "events"))
			maps[i].max_entries = t->opts.ring_bytes;
		else if (!strcmp(spec->maps[i].name, "socks"))
			maps[i].max_entries = t->opts.max_socks;
	}
}

void trace_share_maps(struct trace *t, const struct obj *o)
{
	for (uint32_t i = 0; i < o->spec->nmaps; i++)
		for (int k = 0; k < TRACE_SHARED; k++)
			if (!t->shared_maps[k] &&
			    !strcmp(o->spec->maps[i].name, trace_shared_names[k]))
				t->shared_maps[k] = o->map_fd[i];
}

int trace_load(struct trace *t, enum trace_objs which, const struct spec *spec,
	       struct obj_opts *opts, struct obj_map *maps)
{
	struct obj_code stubs[OBJ_PROGS_MAX];

	for (uint32_t i = 0; i < spec->nprogs; i++)
		stubs[i] = (struct obj_code){ t->code.insns, (uint32_t)t->code.n, false };
	use_shared_maps(t, spec, maps);
	opts->maps = maps;
	opts->stubs = stubs;
	opts->verbose = t->opts.verbose;
	return obj_open(&t->obj[which], spec, opts);
}

int trace_load_attach(struct trace *t, enum trace_objs which, const struct spec *spec,
		      struct obj_opts *opts)
{
	struct obj_map maps[OBJ_MAPS_MAX] = { 0 };
	struct obj *o = &t->obj[which];
	uint32_t before = t->nlinks;
	int rc = trace_load(t, which, spec, opts, maps);

	for (uint32_t i = 0; i < spec->nprogs && !rc; i++)
		if (opts->progs & 1u << i && spec->progs[i].attach_type != BPF_TRACE_ITER)
			rc = attach_prog(t, o, i);
	if (!rc)
		rc = attach_extra(t, o);
	if (rc) {
		trace_detach(t, before);
		obj_close(o);
	}
	return rc;
}
