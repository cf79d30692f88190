/* SPDX-License-Identifier: MIT */
/* One gate: loads it for its interface's link type and attaches it at the first hook that works, or
 * finds it in the kernel. */
#include "gate/gate.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/err.h"
#include "gate/load.h"
#include "gate/xdp.h"
#include "obj/find.h"
#include "sys/bpf.h"

static void counter_src_close(struct gate_counter_src *counters)
{
	const int fds[] = { counters->counters_fd, counters->other_fd, counters->successor_fd };

	for (int i = 0; counters->borrowed && i < 3; i++)
		if (fds[i] > 0)
			close(fds[i]);
	*counters = (struct gate_counter_src){ 0 };
}

/* Opens the conf and maps of a gate in the kernel, which another process may have loaded. Returns
 * -ENOENT if the program is not a gate, or is one of an unknown version. */
static int counter_src_open(struct gate_counter_src *counters, const struct found *f)
{
	struct gate_counter_src got = { .hook = f->hook, .borrowed = true, .prog_id = f->prog_id };
	struct gate_conf conf = { 0 };
	struct bpf_map_info info = { 0 };
	struct find_prog prog;
	int rc;

	rc = find_prog(f->prog_id, &prog);
	if (rc)
		return rc;
	rc = gate_find_conf(&prog, &conf);
	if (rc)
		return rc;
	got.load_time = prog.info.load_time;
	got.counters_fd = gate_find_map(&prog, GATE_MAP_COUNTERS, &info);
	got.other_fd = gate_find_map(&prog, GATE_MAP_COUNTERS_OTHER, &info);
	got.successor_fd = gate_find_map(&prog, GATE_MAP_SUCCESSOR, &info);
	rc = got.counters_fd < 0 ? got.counters_fd
	     : got.other_fd < 0  ? got.other_fd
				 : got.successor_fd;
	if (rc < 0)
		counter_src_close(&got);
	else
		*counters = got;
	return rc < 0 ? rc : 0;
}

/* Another program holds the XDP hook: read its counters if it is an installed gate, else report
 * it. */
static int use_existing_xdp(struct gate *g, struct nl *nl, const struct gate_opts *opts, int rc)
{
	const char *name = g->link.name;
	struct find_prog prog;
	struct found xdp;

	if (gate_find_xdp(nl, g->link.ifindex, &xdp, &prog))
		return fail_errno(rc, "%s: attaching to XDP", name);
	if (!opts->persistent && !xdp.link_id && !counter_src_open(&g->counters[GATE_IN], &xdp)) {
		const struct gate_counter_src *counters = &g->counters[GATE_IN];

		rc = gate_counters_read(&g->baseline, counters->counters_fd, counters->other_fd,
					GATE_IN);
		if (rc)
			return fail_errno(rc, "%s: reading the counters", name);
		if (!opts->quiet)
			note("%s: in: reading the counters of the installed program (id %u)", name,
			     xdp.prog_id);
		return 0;
	}
	if (find_is_ours(&prog) && xdp.link_id && !opts->persistent &&
	    opts->hooks[GATE_IN] == HOOKS_XDP)
		return -EALREADY;
	return gate_fail_xdp_busy(name, &xdp, &prog, rc);
}

static int fail_attach(const struct gate *g, enum gate_dir dir, const struct attach_report *r,
		       int rc)
{
	struct buf line = { 0 };

	attach_format_report(r, &line);
	fail(rc, "%s: cannot count %s packets (%.*s)", g->link.name,
	     dir == GATE_IN ? "incoming" : "outgoing", (int)line.len, line.data);
	buf_free(&line);
	return rc;
}

/* One line for the interface: the hooks in use, and why better ones failed. */
static void note_hooks(const struct gate *g, const struct attach_report *reports, bool persistent)
{
	struct buf line = { 0 };

	for (int dir = 0; dir < GATE_DIRS; dir++) {
		if (!g->at[dir].hook)
			continue;
		buf_printf(&line, "%s%s: %s%s", line.len ? ", " : "", gate_dir_name(dir),
			   hook_name(g->at[dir].hook),
			   g->at[dir].hook == HOOK_XDP_GENERIC
				   ? " (packets merged by GRO count as one)"
				   : "");
		if (!reports[dir].n)
			continue;
		buf_str(&line, " (");
		attach_format_report(&reports[dir], &line);
		buf_char(&line, ')');
	}
	if (line.len)
		note("%s: %.*s%s", g->link.name, (int)line.len, line.data,
		     persistent ? ", installed" : "");
	buf_free(&line);
}

static int load_programs(struct gate *g, const struct gate_opts *opts)
{
	struct gate_load_opts load = { .link = &g->link,
				       .users = GATE_USER_COUNT,
				       .verbose = opts->verbose };

	for (int dir = 0; dir < GATE_DIRS; dir++)
		if (opts->hooks[dir])
			load.progs |= 1u << gate_select_prog(dir, opts->hooks[dir], false);
	return gate_load(&g->obj, &load, NULL);
}

static int attach_dir(struct gate *g, struct nl *nl, enum gate_dir dir,
		      const struct gate_opts *opts, struct attach_report *report)
{
	unsigned int hooks = opts->hooks[dir];
	int rc = attach_open(&g->at[dir], nl, g->link.ifindex, dir == GATE_IN,
			     g->obj.prog_fd[gate_select_prog(dir, hooks, false)], hooks,
			     opts->persistent, report);

	if (!rc) {
		g->counters[dir] = (struct gate_counter_src){
			.hook = g->at[dir].hook,
			.counters_fd = g->obj.map_fd[GATE_MAP_COUNTERS],
			.other_fd = g->obj.map_fd[GATE_MAP_COUNTERS_OTHER],
		};
		return 0;
	}
	if (hooks & HOOKS_XDP && (rc == -EBUSY || rc == -EEXIST))
		return use_existing_xdp(g, nl, opts, rc);
	if (rc == -ENODEV)
		return fail(rc, "%s: the interface is gone", g->link.name);
	return fail_attach(g, dir, report, rc);
}

int gate_open(struct gate *g, struct nl *nl, const struct link *link, const struct gate_opts *opts)
{
	struct attach_report reports[GATE_DIRS] = { 0 };
	struct gate got = { .link = *link };
	int rc = load_programs(&got, opts);

	for (int dir = 0; dir < GATE_DIRS && !rc; dir++)
		if (opts->hooks[dir])
			rc = attach_dir(&got, nl, dir, opts, &reports[dir]);
	if (rc) {
		for (int dir = 0; dir < GATE_DIRS; dir++)
			attach_undo(&got.at[dir], nl);
		gate_close(&got, nl);
		return rc;
	}
	if (!opts->quiet)
		note_hooks(&got, reports, opts->persistent);
	*g = got;
	return 0;
}

int gate_attach_own(struct gate *g, struct nl *nl, const struct gate_opts *opts)
{
	struct attach_report reports[GATE_DIRS] = { 0 };
	int rc;

	counter_src_close(&g->counters[GATE_IN]);
	gate_counters_free(&g->baseline);
	rc = attach_dir(g, nl, GATE_IN, opts, &reports[GATE_IN]);
	if (rc == -EALREADY)
		rc = fail(-EBUSY, "%s: another running sonde now uses XDP: use --at tc",
			  g->link.name);
	if (!rc && !opts->quiet && g->at[GATE_IN].hook)
		note("%s: in: %s", g->link.name, hook_name(g->at[GATE_IN].hook));
	return rc;
}

int gate_find(struct gate *g, struct nl *nl, const struct link *link)
{
	struct gate got = { .link = *link };
	struct found_list list = { 0 };
	int rc = find_attached(nl, link, &list);

	for (size_t i = 0; i < list.n; i++) {
		struct gate_counter_src *counters =
			&got.counters[list.at[i].ingress ? GATE_IN : GATE_OUT];

		int err;

		if (rc || find_is_live(&list.at[i]) || counters->hook)
			continue;
		/* -ENOENT: not a gate, or gone since. Other errors mean that the program could not
		 * be inspected. */
		err = counter_src_open(counters, &list.at[i]);
		rc = err == -ENOENT ? 0 : err;
	}
	found_list_free(&list);
	if (!rc && !got.counters[GATE_IN].hook && !got.counters[GATE_OUT].hook)
		rc = -ENOENT;
	if (rc)
		gate_close(&got, nl);
	else
		*g = got;
	return rc;
}

void gate_detach(struct gate *g, struct nl *nl)
{
	for (int dir = 0; dir < GATE_DIRS; dir++)
		attach_close(&g->at[dir], nl);
}

void gate_close(struct gate *g, struct nl *nl)
{
	gate_detach(g, nl);
	for (int dir = 0; dir < GATE_DIRS; dir++)
		counter_src_close(&g->counters[dir]);
	obj_close(&g->obj);
	gate_counters_free(&g->baseline);
	*g = (struct gate){ 0 };
}

int gate_read(const struct gate *g, struct gate_counters *t)
{
	for (int dir = 0; dir < GATE_DIRS; dir++) {
		const struct gate_counter_src *counters = &g->counters[dir];
		int rc;

		if (!counters->hook)
			continue;
		rc = gate_counters_read(t, counters->counters_fd, counters->other_fd, dir);
		if (rc)
			return fail_errno(rc, "%s: reading the counters", g->link.name);
	}
	return 0;
}

bool gate_is_live(const struct gate *g, struct nl *nl)
{
	const struct gate_counter_src *in = &g->counters[GATE_IN];
	struct gate_successor successor = { 0 };
	struct link now;
	uint32_t zero = 0, id;

	if (!in->borrowed || !hook_is_xdp(in->hook))
		return true;
	if (link_get(nl, NULL, g->link.ifindex, &now))
		return false;
	id = now.xdp_native ? now.xdp_native : now.xdp_generic ? now.xdp_generic : now.xdp_offload;
	return id && (id == in->prog_id || (!bpf_map_lookup(in->successor_fd, &zero, &successor) &&
					    id == successor.prog[GATE_IN]));
}
