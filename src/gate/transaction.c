/* SPDX-License-Identifier: MIT */
/* Changes both directions of an interface under one lock. */
#include "gate/transaction.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/err.h"
#include "gate/counters.h"
#include "sets/sets.h"
#include "sys/bpf.h"
#include "sys/lock.h"

static int take_lock(struct gate_txn *txn)
{
	char name[32];
	int rc;

	snprintf(name, sizeof(name), "gate/%d", txn->link.ifindex);
	rc = lock_take(name);
	if (rc == -EBUSY)
		return fail(rc, "%s: another sonde is changing this interface: try again",
			    txn->link.name);
	if (rc < 0)
		return fail_errno(rc, "%s: locking the interface", txn->link.name);
	txn->lock_fd = rc;
	return 0;
}

struct gate_txn_set *gate_txn_find_set(const struct gate_txn *txn, const char *name)
{
	for (size_t i = 0; i < txn->nsets; i++)
		if (!strcmp(txn->sets[i].set.name, name))
			return &txn->sets[i];
	return NULL;
}

int gate_txn_replace_set(struct gate_txn *txn, const char *name, struct filter_set *set)
{
	struct gate_txn_set *at = gate_txn_find_set(txn, name), *more;
	char *copy = strdup(name);

	if (at && copy) {
		set_close(&at->set);
	} else if (copy) {
		more = array_grow(txn->sets, txn->nsets, &txn->set_room, sizeof(*txn->sets));
		if (more) {
			txn->sets = more;
			at = &txn->sets[txn->nsets++];
			at->used_in = 0;
		}
	}
	if (!at || !copy) {
		free(copy);
		return fail_errno(-ENOMEM, "keeping set %s", name);
	}
	free(set->name);
	at->set = *set;
	at->set.name = copy;
	*set = (struct filter_set){ 0 };
	return 0;
}

static int open_set_map(const struct find_prog *prog, size_t number, int version)
{
	struct bpf_map_info info = { 0 };
	char name[16];
	int fd;

	snprintf(name, sizeof(name), GATE_SET_PREFIX "%zu_v%d", number, version);
	fd = find_map(prog, name, &info);
	return fd == -ENOENT ? 0 : fd;
}

/* Reads the set with this number from the installed program's maps. */
static int read_set(struct gate_txn *txn, enum gate_dir dir, size_t number, const char *name)
{
	struct filter_set set = { 0 };
	struct find_prog prog;
	int rc = find_prog(txn->install[dir].current.prog_id, &prog), fd4, fd6 = 0;

	if (rc)
		return rc;
	fd4 = open_set_map(&prog, number, 4);
	fd6 = open_set_map(&prog, number, 6);
	rc = fd4 < 0 ? fd4 : fd6 < 0 ? fd6 : sets_read(fd4, fd6, &set);
	if (fd4 > 0)
		close(fd4);
	if (fd6 > 0)
		close(fd6);
	if (!rc)
		rc = gate_txn_replace_set(txn, name, &set);
	set_close(&set);
	return rc;
}

/* Finds out the number of a set that the installed rules name: sets are numbered in the order of
 * their first use. */
static int resolve_set(struct gate_txn *txn, const char *name)
{
	enum gate_dir dir = txn->reading;
	struct gate_txn_set *at = gate_txn_find_set(txn, name);
	size_t number = 0;
	int rc = 0;

	if (at && at->used_in & 1u << dir)
		return 0;
	if (txn->plan_unreadable) /* the rules' sets are numbered after the guard's: their numbers
				     are unknown */
		return -EBADMSG;
	for (size_t i = 0; i < txn->nsets; i++)
		number += (txn->sets[i].used_in & 1u << dir) != 0;
	if (!at)
		rc = read_set(txn, dir, number, name);
	at = gate_txn_find_set(txn, name);
	if (at)
		at->used_in |= 1u << dir;
	return rc;
}

/* Implements filter_names.known. */
static int lookup_set(void *arg, const char *name, struct filter_set *set)
{
	struct gate_txn *txn = arg;
	const struct gate_txn_set *at;
	int rc = txn->reading < GATE_DIRS ? resolve_set(txn, name) : 0;

	if (rc)
		return rc;
	at = gate_txn_find_set(txn, name);
	rc = at ? set_copy(set, &at->set) : 0;
	return rc ? rc : at != NULL;
}

struct filter_names gate_txn_names(struct gate_txn *txn)
{
	struct filter_names names = *txn->base_names;

	names.known_set = lookup_set;
	names.arg = txn;
	return names;
}

static int parse_text(struct gate_txn *txn, enum gate_dir dir, const struct buf *text)
{
	struct filter_names names = gate_txn_names(txn);
	struct diag diag = { 0 };
	int rc = rules_parse(&txn->rules, text->len ? text->data : "", text->len, dir, &names,
			     &diag);

	if (rc == -EINVAL)
		return fail(
			rc,
			"%s: unreadable installed rule: %s (sonde filter clear removes all rules)",
			txn->link.name, diag.msg);
	return rc ? fail_errno(rc, "%s: reading the installed rules", txn->link.name) : 0;
}

/* Parses the rules that the kernel has. */
static int read_rules(struct gate_txn *txn, enum gate_dir dir)
{
	int rc;

	txn->reading = dir;
	rc = parse_text(txn, dir, &txn->install[dir].text);
	txn->reading = GATE_DIRS;
	return rc;
}

static int read_allow(struct gate_txn *txn)
{
	const struct filter_names names = gate_txn_names(txn);
	const struct buf *text = &txn->install[GATE_IN].allow;
	const char *at = text->data, *end = at + text->len;
	struct diag diag = { 0 };
	int rc = 0;

	while (!rc && at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		char *line = stop ? strndup(at, (size_t)(stop - at)) : NULL;

		rc = line ? guard_plan_add_allow(&txn->plan, line, &names, &diag) : -ENOMEM;
		free(line);
		at = stop ? stop + 1 : end;
	}
	if (rc)
		fail(rc, "%s: the guard's --allow: %s", txn->link.name,
		     *diag.msg ? diag.msg : err_message(rc));
	return rc;
}

/* Rebuilds the installed guard's plan. */
static int read_plan(struct gate_txn *txn)
{
	const struct gate_install *install = &txn->install[GATE_IN];
	int rc;

	guard_plan_close(&txn->plan);
	if (!install->conf.guarded)
		return 0;
	txn->plan.conf = install->conf.guard;
	txn->reading = GATE_IN;
	rc = read_allow(txn);
	txn->reading = GATE_DIRS;
	return rc;
}

/* A guard whose expressions cannot be parsed any more must not block changes that do not need it.
 * The error is reported when one does. */
static bool is_plan_unreadable(struct gate_txn *txn)
{
	char why[16];
	struct err_capture before = err_capture_begin(why, sizeof(why));
	int rc = read_plan(txn);

	err_capture_end(before);
	return rc != 0;
}

int gate_txn_reparse(struct gate_txn *txn)
{
	struct buf text[GATE_DIRS] = { { 0 } };
	int rc = 0;

	for (int dir = 0; dir < GATE_DIRS; dir++)
		rules_print(&txn->rules, (enum gate_dir)dir, &text[dir]);
	rules_close(&txn->rules);
	for (int dir = 0; dir < GATE_DIRS; dir++) {
		if (!rc)
			rc = text[dir].nomem ? fail_errno(-ENOMEM, "reading the rules")
					     : parse_text(txn, (enum gate_dir)dir, &text[dir]);
		buf_free(&text[dir]);
	}
	return rc ? rc : read_plan(txn);
}

int gate_txn_begin(struct gate_txn *txn, struct nl *nl, const struct link *link,
		   const struct filter_names *names, enum gate_txn_mode mode)
{
	int rc;

	*txn = (struct gate_txn){ .link = *link, .base_names = names, .reading = GATE_DIRS };
	rc = mode == GATE_TXN_READ ? 0 : take_lock(txn);
	for (int dir = 0; dir < GATE_DIRS && !rc; dir++) {
		rc = gate_install_open(&txn->install[dir], nl, link, (enum gate_dir)dir);
		/* The guard's sets are numbered before those of the rules. */
		if (!rc && dir == GATE_IN)
			txn->plan_unreadable = is_plan_unreadable(txn);
		if (!rc && mode != GATE_TXN_CLEAR)
			rc = read_rules(txn, (enum gate_dir)dir);
	}
	for (size_t i = 0; i < txn->rules.n; i++)
		if (txn->rules.at[i].id > txn->max_id)
			txn->max_id = txn->rules.at[i].id;
	if (rc)
		gate_txn_close(txn);
	return rc;
}

static bool has_rules(const struct gate_txn *txn, enum gate_dir dir)
{
	return txn->rules.drops[dir] || rules_count(&txn->rules, dir);
}

/* Returns true if the kernel has these rules and users already. */
static bool is_unchanged(const struct gate_txn *txn, enum gate_dir dir, uint32_t users)
{
	const struct gate_install *install = &txn->install[dir];
	struct buf text = { 0 };
	bool same;

	rules_print(&txn->rules, dir, &text);
	same = !text.nomem && text.len == install->text.len &&
	       (!text.len || !memcmp(text.data, install->text.data, text.len)) &&
	       users == install->users;
	buf_free(&text);
	return same;
}

/* Returns the id of an equal rule in the kernel's text, the first one after the rule with the id
 * `after`; 0: none. */
static uint16_t find_old_id(const struct buf *text, const struct rule *rule, uint16_t after)
{
	struct rule plain = *rule;
	const char *at = text->data, *end = text->len ? at + text->len : at;
	bool past_after = !after;
	struct buf line = { 0 };
	uint16_t found = 0;

	plain.id = 0;
	rule_print(&plain, &line);
	buf_char(&line, '\n');
	while (at < end && !found && !line.nomem) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		char *words;
		uint16_t id;

		if (!next++)
			break;
		id = (uint16_t)strtoul(at, &words, 10);
		if (past_after && (size_t)(next - words) == line.len + 1 &&
		    !memcmp(words + 1, line.data, line.len))
			found = id;
		past_after |= id == after;
		at = next;
	}
	buf_free(&line);
	return found;
}

/* A rule that is written again without an id is the same rule: it keeps its id and its hits. */
static void reuse_ids(struct gate_txn *txn)
{
	for (size_t i = 0; i < txn->rules.n; i++) {
		struct rule *rule = &txn->rules.at[i];
		const struct buf *text = &txn->install[rule->dir].text;
		uint16_t id;

		if (rule->id)
			continue;
		for (id = find_old_id(text, rule, 0); id && rules_has_id(&txn->rules, id);)
			id = find_old_id(text, rule, id);
		rule->id = id;
	}
}

/* Returns true if the kernel had this rule, or the default if it is NULL, under the same id. */
static bool had_rule(const struct gate_txn *txn, enum gate_dir dir, const struct rule *rule)
{
	const struct buf *text = &txn->install[dir].text;
	struct rules none = { .drops = { true, true } };
	struct buf line = { 0 };
	uint16_t id = 0;
	bool had;

	if (rule) {
		do
			id = find_old_id(text, rule, id);
		while (id && id != rule->id);
		return id != 0;
	}
	rules_print(&none, dir, &line);
	had = text->len >= line.len &&
	      !memcmp(text->data + text->len - line.len, line.data, line.len);
	buf_free(&line);
	return had;
}

/* A rule whose id belonged to another one starts with no hits. */
static int reset_new_hits(const struct gate_txn *txn, enum gate_dir dir)
{
	const struct gate_install *install = &txn->install[dir];
	int cpus = bpf_possible_cpus(), rc = 0;
	void *zeros;

	if (!install->current.hook || !install->conf.has_rules)
		return 0;
	zeros = cpus > 0 ? calloc((size_t)cpus, sizeof(struct gate_hit)) : NULL;
	if (!zeros)
		return fail_errno(cpus < 0 ? cpus : -ENOMEM, "%s: clearing the rules' hits",
				  txn->link.name);
	for (size_t i = 0; i <= txn->rules.n && !rc; i++) {
		const struct rule *rule = i < txn->rules.n ? &txn->rules.at[i] : NULL;
		uint32_t slot = (rule ? rule->id : RULE_DEFAULT_ID) - 1u;

		if ((rule && rule->dir != dir) || had_rule(txn, dir, rule))
			continue;
		rc = bpf_map_update(install->map_fd[GATE_MAP_HITS], &slot, zeros, BPF_ANY);
	}
	free(zeros);
	return rc ? fail_errno(rc, "%s: clearing the rules' hits", txn->link.name) : 0;
}

static int install_dir(struct gate_txn *txn, struct nl *nl, enum gate_dir dir,
		       const struct gate_install_opts *opts)
{
	struct gate_install *install = &txn->install[dir];
	struct gate_install_opts install_opts = *opts;
	int rc = reset_new_hits(txn, dir);

	if (install_opts.users & GATE_USER_GUARD && !install_opts.guard) {
		if (!rc && txn->plan_unreadable) {
			txn->plan_unreadable = false;
			rc = read_plan(txn);
		}
		install_opts.guard = &txn->plan;
	}
	return rc ? rc : gate_install(install, nl, &install_opts);
}

static int commit_dir(struct gate_txn *txn, struct nl *nl, enum gate_dir dir,
		      const struct gate_txn_opts *opts)
{
	struct gate_install *install = &txn->install[dir];
	bool any = has_rules(txn, dir);
	struct gate_install_opts install_opts = { .hooks = opts->hooks[dir],
						  .users = (install->users &
							    ~(uint32_t)GATE_USER_FILTER) |
							   (any ? GATE_USER_FILTER : 0),
						  .rules = any ? &txn->rules : NULL,
						  .verbose = opts->verbose,
						  .quiet = opts->quiet };
	bool guard = dir == GATE_IN && (opts->guard || opts->unguard);
	bool reload = opts->reload && (any || (dir == GATE_IN && txn->plan.nfilters));

	if (guard) {
		install_opts.guard = opts->guard;
		install_opts.users &= ~(uint32_t)GATE_USER_GUARD;
		install_opts.users |= opts->guard ? GATE_USER_GUARD : 0;
	}
	if (!guard && ((!any && !install->current.hook) ||
		       (is_unchanged(txn, dir, install_opts.users) && !reload)))
		return 0;
	if (install->current.hook && install_opts.users &&
	    !(install_opts.hooks & HOOK_BIT(install->current.hook)))
		return fail(-EEXIST,
			    "%s: %s: sonde is installed at %s: leave out --at, or remove all "
			    "with sonde detach -i %s",
			    txn->link.name, gate_dir_name(dir), hook_name(install->current.hook),
			    txn->link.name);
	return install_dir(txn, nl, dir, &install_opts);
}

int gate_txn_commit(struct gate_txn *txn, struct nl *nl, const struct gate_txn_opts *opts)
{
	int rc;

	reuse_ids(txn);
	rc = rules_assign_ids(&txn->rules, txn->max_id);
	if (rc)
		return fail(rc, "%s: at most %d rules", txn->link.name, GATE_RULES_MAX - 1);
	for (int dir = 0; dir < GATE_DIRS; dir++) {
		rc = commit_dir(txn, nl, (enum gate_dir)dir, opts);
		if (!rc)
			continue;
		if (dir)
			gate_rollback(&txn->install[GATE_IN], nl);
		return rc;
	}
	return 0;
}

int gate_txn_rollback(struct gate_txn *txn, struct nl *nl)
{
	int rc = 0;

	for (int dir = 0; dir < GATE_DIRS; dir++) {
		int err = gate_rollback(&txn->install[dir], nl);

		if (!rc)
			rc = err;
	}
	return rc;
}

void gate_txn_close(struct gate_txn *txn)
{
	for (int dir = 0; dir < GATE_DIRS; dir++)
		gate_install_close(&txn->install[dir]);
	rules_close(&txn->rules);
	guard_plan_close(&txn->plan);
	while (txn->nsets)
		set_close(&txn->sets[--txn->nsets].set);
	free(txn->sets);
	if (txn->lock_fd)
		close(txn->lock_fd);
	*txn = (struct gate_txn){ 0 };
}

int gate_txn_read_hits(const struct gate_txn *txn, enum gate_dir dir, uint16_t id,
		       struct gate_hit *hit)
{
	const struct gate_install *install = &txn->install[dir];
	int cpus = bpf_possible_cpus(), rc;
	struct gate_hit sum = { 0 }, *values;
	uint32_t slot = id - 1u;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus, sizeof(*values));
	rc = values ? bpf_map_lookup(install->map_fd[GATE_MAP_HITS], &slot, values) : -ENOMEM;
	for (int i = 0; i < cpus && !rc; i++) {
		sum.packets += values[i].packets;
		sum.bytes += values[i].bytes;
		sum.last = values[i].last > sum.last ? values[i].last : sum.last;
	}
	free(values);
	if (!rc)
		*hit = sum;
	return rc;
}
