/* SPDX-License-Identifier: MIT */
/* Finds the installed gate by its program and map names, and replaces exactly that program. */
#include "gate/install.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "gate/counters.h"
#include "gate/xdp.h"
#include "sys/bpf.h"

static int read_text(struct gate_install *inst, const struct bpf_map_info *info)
{
	struct gate_text *text = malloc(info->value_size);
	uint32_t zero = 0;
	int rc = text ? bpf_map_lookup(inst->map_fd[GATE_MAP_RULES_TEXT], &zero, text) : -ENOMEM;

	if (!rc && info->value_size - sizeof(*text) < (uint64_t)text->len + text->allow_len)
		rc = -EBADMSG;
	if (!rc) {
		inst->users = text->users;
		buf_add(&inst->text, text + 1, text->len);
		buf_add(&inst->allow, (const char *)(text + 1) + text->len, text->allow_len);
		rc = inst->text.nomem || inst->allow.nomem ? -ENOMEM : 0;
	}
	free(text);
	return rc;
}

/* Returns -ENOENT if the program is not a gate, or is one of an unknown version. Not every program
 * has every map. */
static int read_gate(struct gate_install *inst, const struct find_prog *prog)
{
	int rc = 0;

	for (int i = 0; i < GATE_NMAPS && !rc; i++) {
		struct bpf_map_info info = { 0 };
		int fd = gate_find_map(prog, i, &info);

		if (fd < 0 && fd != -ENOENT)
			return fd;
		if (fd < 0)
			continue;
		inst->map_fd[i] = fd;
		if (i == (int)gate_spec.conf_map)
			gate_read_conf(fd, &info, &inst->conf);
		else if (i == GATE_MAP_RULES_TEXT)
			rc = read_text(inst, &info);
	}
	if (!gate_conf_is_known(&inst->conf) || !inst->map_fd[GATE_MAP_RULES_TEXT] ||
	    !inst->map_fd[GATE_MAP_HITS] || !inst->map_fd[GATE_MAP_SUCCESSOR])
		return -ENOENT;
	return rc;
}

static void close_current(struct gate_install *inst)
{
	for (int i = 0; i < GATE_NMAPS; i++)
		if (inst->map_fd[i])
			close(inst->map_fd[i]);
	if (inst->prog_fd)
		close(inst->prog_fd);
	memset(inst->map_fd, 0, sizeof(inst->map_fd));
	inst->prog_fd = 0;
	buf_free(&inst->text);
	buf_free(&inst->allow);
}

static int open_program(struct gate_install *inst, const struct found *f)
{
	struct find_prog prog;
	int rc = find_prog(f->prog_id, &prog);

	if (rc)
		return rc;
	rc = find_is_ours(&prog) ? bpf_fd_by_id(BPF_KIND_PROG, f->prog_id) : -ENOENT;
	if (rc < 0)
		return rc;
	inst->prog_fd = rc;
	rc = read_gate(inst, &prog);
	if (rc)
		close_current(inst);
	else
		inst->current = *f;
	return rc;
}

int gate_install_open(struct gate_install *inst, struct nl *nl, const struct link *link,
		      enum gate_dir dir)
{
	struct gate_install got = { .link = *link, .dir = dir };
	struct found_list list = { 0 };
	int rc = find_attached(nl, link, &list);

	for (size_t i = 0; i < list.n && !rc && !got.current.hook; i++) {
		if (list.at[i].ingress != (dir == GATE_IN) || find_is_live(&list.at[i]))
			continue;
		rc = open_program(&got, &list.at[i]);
		rc = rc == -ENOENT ? 0 : rc;
	}
	found_list_free(&list);
	if (rc)
		return fail_errno(rc, "%s: finding installed programs", link->name);
	*inst = got;
	return 0;
}

static int fail_attach(const struct gate_install *inst, struct nl *nl,
		       const struct attach_report *r, int rc)
{
	struct find_prog prog;
	struct buf line = { 0 };
	struct found xdp;

	if (rc == -ENODEV)
		return fail(rc, "%s: the interface is gone", inst->link.name);
	if ((rc == -EBUSY || rc == -EEXIST) && !gate_find_xdp(nl, inst->link.ifindex, &xdp, &prog))
		return gate_fail_xdp_busy(inst->link.name, &xdp, &prog, rc);
	attach_format_report(r, &line);
	fail(rc, "%s: %s: no hook can be used (%.*s)", inst->link.name, gate_dir_name(inst->dir),
	     (int)line.len, line.data);
	buf_free(&line);
	return rc;
}

/* Notes the hook in use, and why better ones failed. */
static void note_hook(const struct gate_install *inst, const struct attach_report reports[2])
{
	struct buf line = { 0 };

	for (int i = 0; i < 2; i++) {
		if (reports[i].n)
			buf_str(&line, line.len ? "; " : " (");
		attach_format_report(&reports[i], &line);
	}
	buf_str(&line, line.len ? ")" : "");
	note("%s: %s: %s%.*s", inst->link.name, gate_dir_name(inst->dir),
	     hook_name(inst->placed.hook), (int)line.len, line.data ? line.data : "");
	buf_free(&line);
}

/* Stores how the attached program will be found. */
static int record_attached(struct gate_install *inst, const struct attach *a)
{
	struct bpf_prog_info info = { 0 };
	int rc = bpf_get_info(a->prog_fd, &info, sizeof(info));

	inst->placed = (struct found){ .hook = a->hook,
				       .ifindex = a->ifindex,
				       .ingress = a->ingress,
				       .prog_id = info.id,
				       .filter = a->filter };
	return rc;
}

/* Returns true if the new program can keep the guard's table: it has the same size. */
static bool keeps_table(const struct gate_install *inst, const struct guard_plan *plan)
{
	return inst->current.hook && inst->conf.guarded && plan &&
	       inst->conf.guard.lines == plan->conf.lines;
}

static bool keeps_limits(const struct gate_install *inst, const struct guard_plan *plan)
{
	return inst->current.hook && inst->conf.guarded && plan &&
	       !memcmp(inst->conf.guard.scopes, plan->conf.scopes, sizeof(plan->conf.scopes));
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

/* Returns the program of this direction, for these hooks, with or without the guard. */
static uint32_t select_prog(const struct gate_install *inst, const struct gate_install_opts *opts,
			    unsigned int hooks)
{
	return gate_select_prog(inst->dir, hooks, opts->guard != NULL);
}

static int load_program(struct gate_install *inst, const struct gate_install_opts *opts,
			unsigned int hooks)
{
	struct gate_load_opts load = { .link = &inst->link,
				       .progs = 1u << select_prog(inst, opts, hooks),
				       .users = opts->users,
				       .verbose = opts->verbose,
				       .rules = opts->rules,
				       .guard = opts->guard,
				       .dir = inst->dir };
	int maps[GATE_NMAPS] = { 0 }, rc;

	if (inst->current.hook) {
		/* A gate without rules has a map of hits with one entry only. */
		memcpy(maps, inst->map_fd, sizeof(maps));
		if (!inst->conf.has_rules)
			maps[GATE_MAP_HITS] = 0;
		maps[GATE_MAP_RULES_TEXT] = maps[gate_spec.conf_map] = 0;
		if (!keeps_table(inst, opts->guard))
			maps[GATE_MAP_GUARD] = 0;
		if (!keeps_limits(inst, opts->guard))
			maps[GATE_MAP_GUARD_SUMS] = 0;
		load.replaced = &inst->conf;
		load.maps = maps;
	}
	rc = gate_load(&inst->obj, &load, NULL);
	if (!rc && opts->guard && !keeps_table(inst, opts->guard))
		change_table(&opts->guard->conf, inst->obj.map_fd[GATE_MAP_GUARD],
			     guard_table_fill_buckets);
	return rc;
}

static int attach_program(struct gate_install *inst, struct nl *nl,
			  const struct gate_install_opts *opts, unsigned int hooks,
			  struct attach_report *report)
{
	struct attach a = { 0 };
	int fd = inst->obj.prog_fd[select_prog(inst, opts, hooks)];
	int rc = attach_open(&a, nl, inst->link.ifindex, inst->dir == GATE_IN, fd, hooks, true,
			     report);

	if (rc)
		return rc;
	rc = record_attached(inst, &a);
	if (rc)
		attach_undo(&a, nl);
	return rc;
}

/* Installs at the first hook that works. XDP and tc have different programs. */
static int install_new(struct gate_install *inst, struct nl *nl,
		       const struct gate_install_opts *opts)
{
	unsigned int steps[] = { opts->hooks & HOOKS_XDP, opts->hooks & HOOKS_TC };
	struct attach_report reports[2] = { 0 };
	int rc = -EOPNOTSUPP;

	for (int i = 0; i < 2; i++) {
		if (!steps[i])
			continue;
		obj_close(&inst->obj);
		rc = load_program(inst, opts, steps[i]);
		if (rc)
			return rc;
		rc = attach_program(inst, nl, opts, steps[i], &reports[i]);
		if (!rc || rc == -ENODEV || rc == -EPERM)
			break;
	}
	if (rc)
		return fail_attach(inst, nl, &reports[steps[1] ? 1 : 0], rc);
	if (!opts->quiet)
		note_hook(inst, reports);
	return 0;
}

/* Publishes the successor's id before the program is replaced, so that readers follow it instead of
 * reporting the gate as gone. */
static int publish_successor(const struct gate_install *inst, uint32_t prog_id)
{
	struct gate_successor successor;
	uint32_t zero = 0;
	int fd = inst->map_fd[GATE_MAP_SUCCESSOR], rc = bpf_map_lookup(fd, &zero, &successor);

	successor.prog[inst->dir] = prog_id;
	return rc ? rc : bpf_map_update(fd, &zero, &successor, BPF_ANY);
}

static int replace_program(struct gate_install *inst, struct nl *nl,
			   const struct gate_install_opts *opts)
{
	uint32_t prog = select_prog(inst, opts, HOOK_BIT(inst->current.hook));
	struct bpf_prog_info info = { 0 };
	int rc = load_program(inst, opts, HOOK_BIT(inst->current.hook));

	if (rc)
		return rc;
	rc = bpf_get_info(inst->obj.prog_fd[prog], &info, sizeof(info));
	if (!rc)
		rc = publish_successor(inst, info.id);
	if (rc)
		return fail_errno(rc, "%s: replacing the installed program", inst->link.name);
	rc = find_replace(nl, &inst->current, inst->obj.prog_fd[prog]);
	if (!rc) {
		inst->placed = inst->current;
		inst->placed.prog_id = inst->placed.filter.prog_id = info.id;
		return 0;
	}
	if (rc == -ENODEV)
		return fail(rc, "%s: the interface is gone", inst->link.name);
	return fail(rc, "%s: %s: another sonde changed the installed program: try again",
		    inst->link.name, gate_dir_name(inst->dir));
}

static int detach_current(struct gate_install *inst, struct nl *nl)
{
	int rc = inst->current.hook ? find_detach(nl, &inst->current) : 0;

	return !rc || rc == -ENOENT || rc == -ENODEV
		       ? 0
		       : fail_errno(rc, "%s: %s: detaching the program", inst->link.name,
				    gate_dir_name(inst->dir));
}

/* Open connections are counted for as long as the table is kept, whatever its limits are: a
 * connection that was counted has to be subtracted when it closes. */
static int update_conns(struct gate_install *inst, const struct guard_plan *plan)
{
	bool had = inst->current.hook && inst->conf.guarded;
	struct bpf_map_info info = { 0 };
	struct conns_opts conns = { .same_table = keeps_table(inst, plan) };
	int rc;

	if (!had && !(plan && plan->conf.conns))
		return 0;
	if (had)
		bpf_get_info(inst->map_fd[GATE_MAP_GUARD], &info, sizeof(info));
	if (plan) {
		conns.guard = &plan->conf;
		conns.table_fd = inst->obj.map_fd[GATE_MAP_GUARD];
		conns.sums_fd = inst->obj.map_fd[GATE_MAP_GUARD_SUMS];
	}
	rc = conns_replace(&inst->conns, info.id, plan ? &conns : NULL);
	if (!rc && conns.same_table && !inst->conns.old_fd)
		change_table(&plan->conf, conns.table_fd, guard_table_clear_conns);
	return rc;
}

int gate_install(struct gate_install *inst, struct nl *nl, const struct gate_install_opts *opts)
{
	const struct guard_plan *plan = opts->users ? opts->guard : NULL;
	int rc;

	if (!opts->users) {
		rc = detach_current(inst, nl);
		inst->removed = !rc && inst->current.hook;
	} else {
		rc = inst->current.hook ? replace_program(inst, nl, opts)
					: install_new(inst, nl, opts);
	}
	/* Other limits must not start with the old limits' buckets. */
	inst->buckets_refilled = !rc && keeps_table(inst, plan) && !keeps_limits(inst, plan);
	if (inst->buckets_refilled)
		change_table(&plan->conf, inst->map_fd[GATE_MAP_GUARD], guard_table_fill_buckets);
	if (!rc) {
		rc = update_conns(inst, plan);
		if (rc)
			gate_rollback(inst, nl);
	}
	if (rc)
		obj_close(&inst->obj);
	return rc;
}

int gate_rollback(struct gate_install *inst, struct nl *nl)
{
	struct attach a = { 0 };
	struct attach_report report = { 0 };
	int rc;

	if (inst->placed.hook && inst->current.hook) {
		publish_successor(inst, inst->current.prog_id);
		rc = find_replace(nl, &inst->placed, inst->prog_fd);
	} else if (inst->placed.hook) {
		rc = find_detach(nl, &inst->placed);
	} else if (inst->removed) {
		rc = attach_open(&a, nl, inst->link.ifindex, inst->dir == GATE_IN, inst->prog_fd,
				 HOOK_BIT(inst->current.hook), true, &report);
	} else {
		return 0;
	}
	inst->placed = (struct found){ 0 };
	inst->removed = false;
	if (inst->buckets_refilled)
		change_table(&inst->conf.guard, inst->map_fd[GATE_MAP_GUARD],
			     guard_table_fill_buckets);
	inst->buckets_refilled = false;
	if (inst->conns.lost_conns)
		change_table(&inst->conf.guard, inst->map_fd[GATE_MAP_GUARD],
			     guard_table_clear_conns);
	if (!rc || rc == -ENODEV)
		rc = conns_rollback(&inst->conns);
	if (rc == -ENODEV) /* the rules are gone with the interface */
		return 0;
	return rc ? fail_errno(rc, "%s: %s: restoring the previous program", inst->link.name,
			       gate_dir_name(inst->dir))
		  : 0;
}

int gate_set_users(struct gate_install *inst, uint32_t users)
{
	size_t size = sizeof(struct gate_text) + inst->text.len + inst->allow.len;
	struct gate_text *text = calloc(1, size);
	uint32_t zero = 0;
	int rc = -ENOMEM;

	if (text) {
		text->users = users;
		text->len = (uint32_t)inst->text.len;
		text->allow_len = (uint32_t)inst->allow.len;
		if (inst->text.len)
			memcpy(text + 1, inst->text.data, inst->text.len);
		if (inst->allow.len)
			memcpy((char *)(text + 1) + inst->text.len, inst->allow.data,
			       inst->allow.len);
		rc = bpf_map_update(inst->map_fd[GATE_MAP_RULES_TEXT], &zero, text, BPF_ANY);
	}
	free(text);
	if (!rc)
		inst->users = users;
	return rc ? fail_errno(rc, "%s: changing the installed program's users", inst->link.name)
		  : 0;
}

void gate_install_close(struct gate_install *inst)
{
	close_current(inst);
	obj_close(&inst->obj);
	conns_close(&inst->conns);
	*inst = (struct gate_install){ 0 };
}
