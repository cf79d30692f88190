/* SPDX-License-Identifier: MIT */
/* Two seats behind one lock. */
#include "gate/transaction.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "base/grow.h"
#include "gate/counters.h"
#include "sets/sets.h"
#include "sys/bpf.h"
#include "sys/lock.h"

static int take_lock(struct gate_txn *s)
{
	char name[32];
	int rc;

	snprintf(name, sizeof(name), "gate/%d", s->link.ifindex);
	rc = lock_take(name);
	if (rc == -EBUSY)
		return fail(rc, "%s: another sonde is changing its gate: try again", s->link.name);
	if (rc < 0)
		return fail_errno(rc, "%s: the gate's lock", s->link.name);
	s->lock_fd = rc;
	return 0;
}

struct gate_txn_set *gate_txn_find_set(const struct gate_txn *s, const char *name)
{
	for (size_t i = 0; i < s->nsets; i++)
		if (!strcmp(s->sets[i].set.name, name))
			return &s->sets[i];
	return NULL;
}

int gate_txn_put_set(struct gate_txn *s, const char *name, struct filter_set *set)
{
	struct gate_txn_set *at = gate_txn_find_set(s, name), *more;
	char *copy = strdup(name);

	if (at && copy) {
		set_close(&at->set);
	} else if (copy) {
		more = grow(s->sets, s->nsets, &s->set_room, sizeof(*s->sets));
		if (more) {
			s->sets = more;
			at = &s->sets[s->nsets++];
			at->seen = 0;
		}
	}
	if (!at || !copy) {
		free(copy);
		return fail_errno(-ENOMEM, "set %s", name);
	}
	free(set->name);
	at->set = *set;
	at->set.name = copy;
	*set = (struct filter_set){ 0 };
	return 0;
}

static int open_map(const struct find_prog *prog, size_t number, int version)
{
	struct bpf_map_info info = { 0 };
	char name[16];
	int fd;

	snprintf(name, sizeof(name), GATE_LOAD_SET "%zu_v%d", number, version);
	fd = find_map(prog, name, &info);
	return fd == -ENOENT ? 0 : fd;
}

/* Out of the kernel: of the installed program the set with a number. */
static int fetch_set(struct gate_txn *s, enum gate_dir dir, size_t number, const char *name)
{
	struct filter_set set = { 0 };
	struct find_prog prog;
	int rc = find_prog(s->install[dir].at.prog_id, &prog), fd4, fd6 = 0;

	if (rc)
		return rc;
	fd4 = open_map(&prog, number, 4);
	fd6 = open_map(&prog, number, 6);
	rc = fd4 < 0 ? fd4 : fd6 < 0 ? fd6 : sets_read(fd4, fd6, &set);
	if (fd4 > 0)
		close(fd4);
	if (fd6 > 0)
		close(fd6);
	if (!rc)
		rc = gate_txn_put_set(s, name, &set);
	set_close(&set);
	return rc;
}

/* Rules name sets in the order in which the maps are numbered. */
static int meet_set(struct gate_txn *s, const char *name)
{
	enum gate_dir dir = s->reading;
	struct gate_txn_set *at = gate_txn_find_set(s, name);
	size_t number = 0;
	int rc = 0;

	if (at && at->seen & 1u << dir)
		return 0;
	if (s->no_plan) /* nor is it known where sets of rules begin */
		return -EBADMSG;
	for (size_t i = 0; i < s->nsets; i++)
		number += (s->sets[i].seen & 1u << dir) != 0;
	if (!at)
		rc = fetch_set(s, dir, number, name);
	at = gate_txn_find_set(s, name);
	if (at)
		at->seen |= 1u << dir;
	return rc;
}

/* Of filter_names. */
static int known(void *arg, const char *name, struct filter_set *set)
{
	struct gate_txn *s = arg;
	const struct gate_txn_set *at;
	int rc = s->reading < GATE_DIRS ? meet_set(s, name) : 0;

	if (rc)
		return rc;
	at = gate_txn_find_set(s, name);
	rc = at ? set_copy(set, &at->set) : 0;
	return rc ? rc : at != NULL;
}

struct filter_names gate_txn_names(struct gate_txn *s)
{
	struct filter_names names = *s->host;

	names.known = known;
	names.arg = s;
	return names;
}

static int parse_text(struct gate_txn *s, enum gate_dir dir, const struct buf *text)
{
	struct filter_names names = gate_txn_names(s);
	struct diag diag = { 0 };
	int rc = rules_parse(&s->rules, text->len ? text->data : "", text->len, dir, &names, &diag);

	if (rc == -EINVAL)
		return fail(rc, "%s: rule that is installed, %s: sonde filter clear takes all off",
			    s->link.name, diag.msg);
	return rc ? fail_errno(rc, "%s: rules", s->link.name) : 0;
}

/* The kernel's text of rules into the site's. */
static int read_rules(struct gate_txn *s, enum gate_dir dir)
{
	int rc;

	s->reading = dir;
	rc = parse_text(s, dir, &s->install[dir].text);
	s->reading = GATE_DIRS;
	return rc;
}

static int read_allow(struct gate_txn *s)
{
	const struct filter_names names = gate_txn_names(s);
	const struct buf *text = &s->install[GATE_IN].allow;
	const char *at = text->data, *end = at + text->len;
	struct diag diag = { 0 };
	int rc = 0;

	while (!rc && at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		char *line = stop ? strndup(at, (size_t)(stop - at)) : NULL;

		rc = line ? guard_plan_add_allow(&s->plan, line, &names, &diag) : -ENOMEM;
		free(line);
		at = stop ? stop + 1 : end;
	}
	if (rc)
		fail(rc, "%s: whom the guard trusts: %s", s->link.name,
		     *diag.msg ? diag.msg : err_words(rc));
	return rc;
}

/* The guard that is there, as the plan that it was made of. */
static int read_plan(struct gate_txn *s)
{
	const struct gate_install *install = &s->install[GATE_IN];
	int rc;

	guard_plan_close(&s->plan);
	if (!install->conf.guarded)
		return 0;
	s->plan.conf = install->conf.guard;
	s->reading = GATE_IN;
	rc = read_allow(s);
	s->reading = GATE_DIRS;
	return rc;
}

/* A guard whose words mean nothing any more must not be in the way of what makes no use of them:
 * it is said where something does. */
static bool try_plan(struct gate_txn *s)
{
	char why[16];
	struct err_held before = err_capture_begin(why, sizeof(why));
	int rc = read_plan(s);

	err_capture_end(before);
	return rc != 0;
}

int gate_txn_reparse(struct gate_txn *s)
{
	struct buf text[GATE_DIRS] = { { 0 } };
	int rc = 0;

	for (int dir = 0; dir < GATE_DIRS; dir++)
		rules_print(&s->rules, (enum gate_dir)dir, &text[dir]);
	rules_close(&s->rules);
	for (int dir = 0; dir < GATE_DIRS; dir++) {
		if (!rc)
			rc = text[dir].nomem ? fail_errno(-ENOMEM, "rules")
					     : parse_text(s, (enum gate_dir)dir, &text[dir]);
		buf_free(&text[dir]);
	}
	return rc ? rc : read_plan(s);
}

int gate_txn_begin(struct gate_txn *s, struct nl *nl, const struct link *link,
		   const struct filter_names *names, enum gate_txn_mode mode)
{
	int rc;

	*s = (struct gate_txn){ .link = *link, .host = names, .reading = GATE_DIRS };
	rc = mode == GATE_TXN_READ ? 0 : take_lock(s);
	for (int dir = 0; dir < GATE_DIRS && !rc; dir++) {
		rc = gate_install_open(&s->install[dir], nl, link, (enum gate_dir)dir);
		/* The guard's sets are numbered before those of rules. */
		if (!rc && dir == GATE_IN)
			s->no_plan = try_plan(s);
		if (!rc && mode != GATE_TXN_CLEAR)
			rc = read_rules(s, (enum gate_dir)dir);
	}
	for (size_t i = 0; i < s->rules.n; i++)
		if (s->rules.at[i].id > s->last)
			s->last = s->rules.at[i].id;
	if (rc)
		gate_txn_close(s);
	return rc;
}

static bool has_rules(const struct gate_txn *s, enum gate_dir dir)
{
	return s->rules.drops[dir] || rules_count(&s->rules, dir);
}

/* Whether the kernel has it so already. */
static bool is_there(const struct gate_txn *s, enum gate_dir dir, uint32_t uses)
{
	const struct gate_install *install = &s->install[dir];
	struct buf text = { 0 };
	bool same;

	rules_print(&s->rules, dir, &text);
	same = !text.nomem && text.len == install->text.len &&
	       (!text.len || !memcmp(text.data, install->text.data, text.len)) &&
	       uses == install->uses;
	buf_free(&text);
	return same;
}

/* The rule but for its id, as the kernel's text has it: its id there, of several the next one
 * behind after; 0: it is not there. */
static uint16_t id_before(const struct buf *text, const struct rule *rule, uint16_t after)
{
	struct rule plain = *rule;
	const char *at = text->data, *end = text->len ? at + text->len : at;
	bool behind = !after;
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
		if (behind && (size_t)(next - words) == line.len + 1 &&
		    !memcmp(words + 1, line.data, line.len))
			found = id;
		behind |= id == after;
		at = next;
	}
	buf_free(&line);
	return found;
}

static bool is_given(const struct rules *r, uint16_t id)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->at[i].id == id)
			return true;
	return false;
}

/* Rules that are written again without their ids are the same ones: they go on with their hits. */
static void know_again(struct gate_txn *s)
{
	for (size_t i = 0; i < s->rules.n; i++) {
		struct rule *rule = &s->rules.at[i];
		const struct buf *text = &s->install[rule->dir].text;
		uint16_t id;

		if (rule->id)
			continue;
		for (id = id_before(text, rule, 0); id && is_given(&s->rules, id);)
			id = id_before(text, rule, id);
		rule->id = id;
	}
}

/* The kernel had this rule, or with NULL the default, under the same id. */
static bool was_there(const struct gate_txn *s, enum gate_dir dir, const struct rule *rule)
{
	const struct buf *text = &s->install[dir].text;
	struct rules none = { .drops = { true, true } };
	struct buf line = { 0 };
	uint16_t id = 0;
	bool was;

	if (rule) {
		do
			id = id_before(text, rule, id);
		while (id && id != rule->id);
		return id != 0;
	}
	rules_print(&none, dir, &line);
	was = text->len >= line.len &&
	      !memcmp(text->data + text->len - line.len, line.data, line.len);
	buf_free(&line);
	return was;
}

/* An id that was another rule's begins at nothing. */
static int clear_hits(const struct gate_txn *s, enum gate_dir dir)
{
	const struct gate_install *install = &s->install[dir];
	int cpus = bpf_possible_cpus(), rc = 0;
	void *zeros;

	if (!install->at.hook || !install->conf.has_rules)
		return 0;
	zeros = cpus > 0 ? calloc((size_t)cpus, sizeof(struct gate_hit)) : NULL;
	if (!zeros)
		return fail_errno(cpus < 0 ? cpus : -ENOMEM, "%s: hits", s->link.name);
	for (size_t i = 0; i <= s->rules.n && !rc; i++) {
		const struct rule *rule = i < s->rules.n ? &s->rules.at[i] : NULL;
		uint32_t slot = (rule ? rule->id : RULE_DEFAULT_ID) - 1u;

		if ((rule && rule->dir != dir) || was_there(s, dir, rule))
			continue;
		rc = bpf_map_update(install->map_fd[GATE_MAP_HITS], &slot, zeros, BPF_ANY);
	}
	free(zeros);
	return rc ? fail_errno(rc, "%s: hits", s->link.name) : 0;
}

static int put_dir(struct gate_txn *s, struct nl *nl, enum gate_dir dir,
		   const struct gate_install_opts *opts)
{
	struct gate_install *install = &s->install[dir];
	struct gate_install_opts put = *opts;
	int rc = clear_hits(s, dir);

	if (put.uses & GATE_USER_GUARD && !put.guard) {
		if (!rc && s->no_plan) {
			s->no_plan = false;
			rc = read_plan(s);
		}
		put.guard = &s->plan;
	}
	return rc ? rc : gate_install(install, nl, &put);
}

static int apply_dir(struct gate_txn *s, struct nl *nl, enum gate_dir dir,
		     const struct gate_txn_opts *opts)
{
	struct gate_install *install = &s->install[dir];
	bool any = has_rules(s, dir);
	struct gate_install_opts put = { .hooks = opts->hooks[dir],
					 .uses = (install->uses & ~(uint32_t)GATE_USER_FILTER) |
						 (any ? GATE_USER_FILTER : 0),
					 .rules = any ? &s->rules : NULL,
					 .verbose = opts->verbose };
	bool guard = dir == GATE_IN && (opts->guard || opts->unguard);
	bool reload = opts->reload && (any || (dir == GATE_IN && s->plan.nfilters));

	if (guard) {
		put.guard = opts->guard;
		put.uses &= ~(uint32_t)GATE_USER_GUARD;
		put.uses |= opts->guard ? GATE_USER_GUARD : 0;
	}
	if (!guard && ((!any && !install->at.hook) || (is_there(s, dir, put.uses) && !reload)))
		return 0;
	if (install->at.hook && put.uses && !(put.hooks & HOOK_BIT(install->at.hook)))
		return fail(-EEXIST,
			    "%s: the gate %s is at %s: sonde detach -i %s, or the same --at",
			    s->link.name, gate_dir_name(dir), hook_name(install->at.hook),
			    s->link.name);
	return put_dir(s, nl, dir, &put);
}

int gate_txn_commit(struct gate_txn *s, struct nl *nl, const struct gate_txn_opts *opts)
{
	int rc;

	know_again(s);
	rc = rules_number(&s->rules, s->last);
	if (rc)
		return fail(rc, "%s: more than %d rules", s->link.name, GATE_RULES_MAX - 1);
	for (int dir = 0; dir < GATE_DIRS; dir++) {
		rc = apply_dir(s, nl, (enum gate_dir)dir, opts);
		if (!rc)
			continue;
		if (dir)
			gate_rollback(&s->install[GATE_IN], nl);
		return rc;
	}
	return 0;
}

int gate_txn_rollback(struct gate_txn *s, struct nl *nl)
{
	int rc = 0;

	for (int dir = 0; dir < GATE_DIRS; dir++) {
		int err = gate_rollback(&s->install[dir], nl);

		rc = rc ? rc : err;
	}
	return rc;
}

void gate_txn_close(struct gate_txn *s)
{
	for (int dir = 0; dir < GATE_DIRS; dir++)
		gate_install_close(&s->install[dir]);
	rules_close(&s->rules);
	guard_plan_close(&s->plan);
	while (s->nsets)
		set_close(&s->sets[--s->nsets].set);
	free(s->sets);
	if (s->lock_fd)
		close(s->lock_fd);
	*s = (struct gate_txn){ 0 };
}

int gate_txn_read_hits(const struct gate_txn *s, enum gate_dir dir, uint16_t id,
		       struct gate_hit *hit)
{
	const struct gate_install *install = &s->install[dir];
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
