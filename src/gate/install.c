/* SPDX-License-Identifier: MIT */
/* Out of the kernel by program and map names, and back by replacing just that very program. */
#include "gate/install.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "gate/counters.h"
#include "sys/bpf.h"

static int read_text(struct gate_install *s, const struct bpf_map_info *info)
{
	struct gate_text *text = malloc(info->value_size);
	uint32_t zero = 0;
	int rc = text ? bpf_map_lookup(s->map_fd[GATE_MAP_RULES_TEXT], &zero, text) : -ENOMEM;

	if (!rc && info->value_size - sizeof(*text) < (uint64_t)text->len + text->allow_len)
		rc = -EBADMSG;
	if (!rc) {
		s->uses = text->uses;
		buf_add(&s->text, text + 1, text->len);
		buf_add(&s->allow, (const char *)(text + 1) + text->len, text->allow_len);
		rc = s->text.nomem || s->allow.nomem ? -ENOMEM : 0;
	}
	free(text);
	return rc;
}

/* -ENOENT: it is not a gate, or one of another version. Not every program has every map. */
static int read_gate(struct gate_install *s, const struct find_prog *prog)
{
	int rc = 0;

	for (int i = 0; i < GATE_NMAPS && !rc; i++) {
		struct bpf_map_info info = { 0 };
		int fd = gate_find_map(prog, i, &info);

		if (fd < 0 && fd != -ENOENT)
			return fd;
		if (fd < 0)
			continue;
		s->map_fd[i] = fd;
		if (i == (int)gate_spec.conf_map)
			gate_load_conf(fd, &info, &s->conf);
		else if (i == GATE_MAP_RULES_TEXT)
			rc = read_text(s, &info);
	}
	if (!gate_conf_is_known(&s->conf) || !s->map_fd[GATE_MAP_RULES_TEXT] ||
	    !s->map_fd[GATE_MAP_HITS] || !s->map_fd[GATE_MAP_SUCCESSOR])
		return -ENOENT;
	return rc;
}

static void forget(struct gate_install *s)
{
	for (int i = 0; i < GATE_NMAPS; i++)
		if (s->map_fd[i])
			close(s->map_fd[i]);
	if (s->prog_fd)
		close(s->prog_fd);
	memset(s->map_fd, 0, sizeof(s->map_fd));
	s->prog_fd = 0;
	buf_free(&s->text);
	buf_free(&s->allow);
}

static int meet(struct gate_install *s, const struct found *f)
{
	struct find_prog prog;
	int rc = find_prog(f->prog_id, &prog);

	if (rc)
		return rc;
	rc = find_is_ours(&prog) ? bpf_fd_by_id(BPF_KIND_PROG, f->prog_id) : -ENOENT;
	if (rc < 0)
		return rc;
	s->prog_fd = rc;
	rc = read_gate(s, &prog);
	if (rc)
		forget(s);
	else
		s->at = *f;
	return rc;
}

int gate_install_open(struct gate_install *s, struct nl *nl, const struct link *link,
		      enum gate_dir dir)
{
	struct gate_install got = { .link = *link, .dir = dir };
	struct found_list list = { 0 };
	int rc = find_attached(nl, link, &list);

	for (size_t i = 0; i < list.n && !rc && !got.at.hook; i++) {
		if (list.at[i].ingress != (dir == GATE_IN) || find_is_live(&list.at[i]))
			continue;
		rc = meet(&got, &list.at[i]);
		rc = rc == -ENOENT ? 0 : rc;
	}
	found_list_free(&list);
	if (rc)
		return fail_errno(rc, "%s: looking for what is installed", link->name);
	*s = got;
	return 0;
}

/* Something else holds the XDP hook. */
static int fail_taken(const struct gate_install *s, struct nl *nl, int rc)
{
	const char *name = s->link.name;
	struct found_list list = { 0 };
	struct find_prog prog = { 0 };
	struct link now = s->link;
	bool ours = false;
	uint32_t id = 0;

	if (!link_get(nl, NULL, s->link.ifindex, &now) && !find_attached(nl, &now, &list) &&
	    list.n && hook_is_xdp(list.at[0].hook)) {
		id = list.at[0].prog_id;
		ours = !find_prog(id, &prog) && find_is_ours(&prog);
	}
	found_list_free(&list);
	if (ours)
		return fail(rc, "%s: a running sonde (program %u) has XDP: end it, or --at tc",
			    name, id);
	return fail(rc, "%s: XDP program %s (id %u) is not sonde's; it stays. Use --at tc", name,
		    *prog.info.name ? prog.info.name : "without a name", id);
}

static int fail_attach(const struct gate_install *s, struct nl *nl, const struct attach_report *r,
		       int rc)
{
	struct buf line = { 0 };

	if (rc == -ENODEV)
		return fail(rc, "%s: the interface is gone", s->link.name);
	if (rc == -EBUSY || rc == -EEXIST)
		return fail_taken(s, nl, rc);
	attach_format_report(r, &line);
	fail(rc, "%s: %s: no hook takes it (%.*s)", s->link.name, gate_dir_name(s->dir),
	     (int)line.len, line.data);
	buf_free(&line);
	return rc;
}

/* The hook that was taken, and why not the ones before it. */
static void note_hook(const struct gate_install *s, const struct attach_report reports[2])
{
	struct buf line = { 0 };

	for (int i = 0; i < 2; i++) {
		if (reports[i].n)
			buf_str(&line, line.len ? "; " : " (");
		attach_format_report(&reports[i], &line);
	}
	buf_str(&line, line.len ? ")" : "");
	note("%s: %s: %s%.*s", s->link.name, gate_dir_name(s->dir), hook_name(s->put.hook),
	     (int)line.len, line.data ? line.data : "");
	buf_free(&line);
}

/* Which program it is that was attached, as it will be found. */
static int remember(struct gate_install *s, const struct attach *a)
{
	struct bpf_prog_info info = { 0 };
	int rc = bpf_info(a->prog_fd, &info, sizeof(info));

	s->put = (struct found){ .hook = a->hook,
				 .ifindex = a->ifindex,
				 .ingress = a->ingress,
				 .prog_id = info.id,
				 .filter = a->filter };
	return rc;
}

/* A guard's table goes on with another program that has one as large. */
static bool keeps_table(const struct gate_install *s, const struct guard_plan *plan)
{
	return s->at.hook && s->conf.guarded && plan && s->conf.guard.lines == plan->conf.lines;
}

static bool keeps_limits(const struct gate_install *s, const struct guard_plan *plan)
{
	return s->at.hook && s->conf.guarded && plan &&
	       !memcmp(s->conf.guard.scopes, plan->conf.scopes, sizeof(plan->conf.scopes));
}

static void change_table(const struct guard_conf *conf, int fd,
			 void (*change)(struct guard_table *))
{
	struct guard_table table;

	if (guard_table_open(&table, conf, fd))
		return;
	change(&table);
	guard_table_close(&table);
}

/* Of the programs, the one that is wished. */
static uint32_t prog_for(const struct gate_install *s, const struct gate_install_opts *opts,
			 unsigned int hooks)
{
	return gate_load_prog(s->dir, hooks, opts->guard != NULL);
}

static int load(struct gate_install *s, const struct gate_install_opts *opts, unsigned int hooks)
{
	struct gate_load what = { .link = &s->link,
				  .progs = 1u << prog_for(s, opts, hooks),
				  .uses = opts->uses,
				  .verbose = opts->verbose,
				  .rules = opts->rules,
				  .guard = opts->guard,
				  .dir = s->dir };
	int maps[GATE_NMAPS] = { 0 }, rc;

	if (s->at.hook) {
		/* A gate without rules has made no room for their hits. */
		memcpy(maps, s->map_fd, sizeof(maps));
		if (!s->conf.has_rules)
			maps[GATE_MAP_HITS] = 0;
		maps[GATE_MAP_RULES_TEXT] = maps[gate_spec.conf_map] = 0;
		if (!keeps_table(s, opts->guard))
			maps[GATE_MAP_GUARD] = 0;
		if (!keeps_limits(s, opts->guard))
			maps[GATE_MAP_GUARD_SUMS] = 0;
		what.before = &s->conf;
		what.maps = maps;
	}
	rc = gate_load(&s->obj, &what, NULL);
	if (!rc && opts->guard && !keeps_table(s, opts->guard))
		change_table(&opts->guard->conf, s->obj.map_fd[GATE_MAP_GUARD],
			     guard_table_fill_buckets);
	return rc;
}

static int attach(struct gate_install *s, struct nl *nl, const struct gate_install_opts *opts,
		  unsigned int hooks, struct attach_report *report)
{
	struct attach a = { 0 };
	int fd = s->obj.prog_fd[prog_for(s, opts, hooks)];
	int rc = attach_open(&a, nl, s->link.ifindex, s->dir == GATE_IN, fd, hooks, true, report);

	if (rc)
		return rc;
	rc = remember(s, &a);
	if (rc)
		attach_undo(&a, nl);
	return rc;
}

/* At the first of the hooks that takes it: XDP's have another program than tc's. */
static int put_new(struct gate_install *s, struct nl *nl, const struct gate_install_opts *opts)
{
	unsigned int steps[] = { opts->hooks & HOOKS_XDP, opts->hooks & HOOKS_TC };
	struct attach_report reports[2] = { 0 };
	int rc = -EOPNOTSUPP;

	for (int i = 0; i < 2; i++) {
		if (!steps[i])
			continue;
		obj_close(&s->obj);
		rc = load(s, opts, steps[i]);
		if (rc)
			return rc;
		rc = attach(s, nl, opts, steps[i], &reports[i]);
		if (!rc || rc == -ENODEV || rc == -EPERM)
			break;
	}
	if (rc)
		return fail_attach(s, nl, &reports[steps[1] ? 1 : 0], rc);
	note_hook(s, reports);
	return 0;
}

/* Those who read the counters are told before they can notice. */
static int announce(const struct gate_install *s, uint32_t prog_id)
{
	struct gate_successor successor;
	uint32_t zero = 0;
	int fd = s->map_fd[GATE_MAP_SUCCESSOR], rc = bpf_map_lookup(fd, &zero, &successor);

	successor.prog[s->dir] = prog_id;
	return rc ? rc : bpf_map_update(fd, &zero, &successor, BPF_ANY);
}

static int put_instead(struct gate_install *s, struct nl *nl, const struct gate_install_opts *opts)
{
	uint32_t prog = prog_for(s, opts, HOOK_BIT(s->at.hook));
	struct bpf_prog_info info = { 0 };
	int rc = load(s, opts, HOOK_BIT(s->at.hook));

	if (rc)
		return rc;
	rc = bpf_info(s->obj.prog_fd[prog], &info, sizeof(info));
	if (!rc)
		rc = announce(s, info.id);
	if (rc)
		return fail_errno(rc, "%s: the gate's program", s->link.name);
	rc = find_replace(nl, &s->at, s->obj.prog_fd[prog]);
	if (!rc) {
		s->put = s->at;
		s->put.prog_id = s->put.filter.prog_id = info.id;
		return 0;
	}
	if (rc == -ENODEV)
		return fail(rc, "%s: the interface is gone", s->link.name);
	return fail(rc, "%s: %s: the gate was changed meanwhile: try again", s->link.name,
		    gate_dir_name(s->dir));
}

static int take_off(struct gate_install *s, struct nl *nl)
{
	int rc = s->at.hook ? find_detach(nl, &s->at) : 0;

	return !rc || rc == -ENOENT || rc == -ENODEV
		       ? 0
		       : fail_errno(rc, "%s: %s: taking the gate off", s->link.name,
				    gate_dir_name(s->dir));
}

/* Open connections are counted for as long as the table is there, whatever its limits are: who has
 * been counted in has to be counted out. */
static int count_conns(struct gate_install *s, const struct guard_plan *plan)
{
	bool had = s->at.hook && s->conf.guarded;
	struct bpf_map_info info = { 0 };
	struct conns_opts want = { .same_table = keeps_table(s, plan) };
	int rc;

	if (!had && !(plan && plan->conf.conns))
		return 0;
	if (had)
		bpf_info(s->map_fd[GATE_MAP_GUARD], &info, sizeof(info));
	if (plan) {
		want.guard = &plan->conf;
		want.table_fd = s->obj.map_fd[GATE_MAP_GUARD];
		want.sums_fd = s->obj.map_fd[GATE_MAP_GUARD_SUMS];
	}
	rc = conns_replace(&s->conns, info.id, plan ? &want : NULL);
	if (!rc && want.same_table && !s->conns.old_fd)
		change_table(&plan->conf, want.table_fd, guard_table_clear_conns);
	return rc;
}

int gate_install(struct gate_install *s, struct nl *nl, const struct gate_install_opts *opts)
{
	const struct guard_plan *plan = opts->uses ? opts->guard : NULL;
	int rc;

	if (!opts->uses) {
		rc = take_off(s, nl);
		s->off = !rc && s->at.hook;
	} else {
		rc = s->at.hook ? put_instead(s, nl, opts) : put_new(s, nl, opts);
	}
	/* What was in the buckets of other limits is not theirs. */
	s->refilled = !rc && keeps_table(s, plan) && !keeps_limits(s, plan);
	if (s->refilled)
		change_table(&plan->conf, s->map_fd[GATE_MAP_GUARD], guard_table_fill_buckets);
	if (!rc) {
		rc = count_conns(s, plan);
		if (rc)
			gate_rollback(s, nl);
	}
	if (rc)
		obj_close(&s->obj);
	return rc;
}

int gate_rollback(struct gate_install *s, struct nl *nl)
{
	struct attach a = { 0 };
	struct attach_report report = { 0 };
	int rc;

	if (s->put.hook && s->at.hook) {
		announce(s, s->at.prog_id);
		rc = find_replace(nl, &s->put, s->prog_fd);
	} else if (s->put.hook) {
		rc = find_detach(nl, &s->put);
	} else if (s->off) {
		rc = attach_open(&a, nl, s->link.ifindex, s->dir == GATE_IN, s->prog_fd,
				 HOOK_BIT(s->at.hook), true, &report);
	} else {
		return 0;
	}
	s->put = (struct found){ 0 };
	s->off = false;
	if (s->refilled)
		change_table(&s->conf.guard, s->map_fd[GATE_MAP_GUARD], guard_table_fill_buckets);
	s->refilled = false;
	if (s->conns.lost_conns)
		change_table(&s->conf.guard, s->map_fd[GATE_MAP_GUARD], guard_table_clear_conns);
	if (!rc || rc == -ENODEV)
		rc = conns_rollback(&s->conns);
	if (rc == -ENODEV) /* so are the rules */
		return 0;
	return rc ? fail_errno(rc, "%s: %s: putting back what was there", s->link.name,
			       gate_dir_name(s->dir))
		  : 0;
}

int gate_set_users(struct gate_install *s, uint32_t uses)
{
	size_t size = sizeof(struct gate_text) + s->text.len + s->allow.len;
	struct gate_text *text = calloc(1, size);
	uint32_t zero = 0;
	int rc = -ENOMEM;

	if (text) {
		text->uses = uses;
		text->len = (uint32_t)s->text.len;
		text->allow_len = (uint32_t)s->allow.len;
		if (s->text.len)
			memcpy(text + 1, s->text.data, s->text.len);
		if (s->allow.len)
			memcpy((char *)(text + 1) + s->text.len, s->allow.data, s->allow.len);
		rc = bpf_map_update(s->map_fd[GATE_MAP_RULES_TEXT], &zero, text, BPF_ANY);
	}
	free(text);
	if (!rc)
		s->uses = uses;
	return rc ? fail_errno(rc, "%s: whose gate it is", s->link.name) : 0;
}

void gate_install_close(struct gate_install *s)
{
	forget(s);
	obj_close(&s->obj);
	conns_close(&s->conns);
	*s = (struct gate_install){ 0 };
}
