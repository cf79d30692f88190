/* SPDX-License-Identifier: MIT */
/* sonde guard: installs limits for sources, destinations and connections in the kernel. */
#include "cmd/guard/guard.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "resolve/names.h"
#include "resolve/ssh_session.h"
#include "sys/bpf.h"

/* Limits that only attacks on a single host exceed. */
static const char *const usual[] = { "src 20000 packets/s burst 40000",
				     "src 200 syns/s burst 400" };

#define GUARD_NEEDS "a guard in the kernel needs"

int guard_begin(const struct opt_spec *spec, struct guard_opts *o, int argc, char **argv,
		char ***rest, int *nrest)
{
	int rc = cmd_parse(spec, o, &o->common, argc, argv, rest, nrest);

	return rc ? rc : cmd_gate_begin(GUARD_NEEDS, o->common.netns);
}

#define O struct guard_opts
static const struct opt start_rows[] = {
	GATE_ROWS_WHERE(O),
	OPT_LIST('l', "limit", "LIMIT", O, limits,
		 "[KEY] RATE [burst N] [count|limit|ban TIME]. KEY is src (the default), src/24, "
		 "src6/48, dst or src+port. RATE is 1000 packets/s, 10 Mbit/s, 50 syns/s, "
		 "20 connections/s (accepted by this host's sockets); /m is a minute, /h an hour. "
		 "100 connections limits those open at once"),
	OPT_STR('f', "file", "FILE", O, file, "file with one limit per line; - is standard input"),
	OPT_LIST(0, "allow", "EXPRESSION", O, allow,
		 "do not limit packets that match this filter (it may name sets: "
		 "src set FILE)"),
	OPT_FLAG(0, "enforce", O, enforce, "drop and ban (default: a dry run, which only counts)"),
	OPT_FLAG(0, "syn-cookies", O, cookies,
		 "at XDP, answer SYNs with cookies while the listener's queue is full"),
	OPT_U32(0, "table", "N", O, table, 64, 1u << 24,
		"size of the table in entries, rounded up (default: 65536)"),
	OPT_TIME(0, "quiet-time", "TIME", O, quiet_time,
		 "a ban lasts until this long after the last packet; a source banned again within "
		 "the same time after that is banned twice as long (default: 60s)"),
	OPT_TIME(0, "ban-max", "TIME", O, ban_max, "longest ban (default: 24h)"),
	CONFIRM_ROW(O, "sonde guard confirm"),
	OPT_FLAG(0, "no-ssh", O, no_ssh, "limit this SSH session, too"),
	GATE_ROWS_PUT(O, ""),
	{ 0 },
};
static const struct opt_spec start_spec = {
	.command = "guard start",
	.usage = "-i IFACE [OPTIONS]",
	.about = "install a guard, or change the installed one\n"
		 "Changing a guard keeps its table and bans. Without -l and -f it "
		 "has two limits: src 20000 packets/s burst 40000, src 200 syns/s burst 400.",
	.rows = start_rows,
	.examples = "  sonde guard start -i eth0 --enforce -l 'src 1000 packets/s ban 60s'\n"
		    "  sonde guard start -i eth0 -l '10 Mbit/s' --allow 'src net 192.0.2.0/24'\n",
};

static int add_limits(struct guard_plan *plan, const struct guard_opts *o)
{
	struct diag diag = { 0 };
	struct buf text = { 0 };
	int rc = 0;

	for (unsigned int i = 0; i < o->limits.n && !rc; i++)
		if (guard_plan_add_limit(plan, o->limits.at[i], strlen(o->limits.at[i]), &diag))
			rc = cmd_mistake("limit", o->limits.at[i], &diag) ? -E_USAGE : 0;
	if (!rc && o->file) {
		rc = cmd_read_file(o->file, &text);
		if (!rc && guard_plan_parse_file(plan, text.data, text.len, &diag))
			rc = fail(-EINVAL, "%s:%s", o->file, diag.msg);
	}
	for (size_t i = 0; i < 2 && !rc && !o->limits.n && !o->file; i++)
		rc = guard_plan_add_limit(plan, usual[i], strlen(usual[i]), &diag);
	buf_free(&text);
	return rc;
}

/* Prevents users from locking themselves out: exempts their SSH session from the limits. */
static int allow_ssh(struct guard_plan *plan)
{
	struct diag diag = { 0 };
	struct ssh_session s;
	char expr[400];
	int rc;

	if (!ssh_session_find(&s))
		return 0;
	snprintf(expr, sizeof(expr), "tcp and src host %s and src port %s and dst port %s",
		 s.client, s.cport, s.sport);
	rc = guard_plan_add_allow(plan, expr, NULL, &diag);
	if (rc)
		return fail(rc, "exempting the SSH session from %s: %s (use --no-ssh)", s.client,
			    diag.msg);
	note("the SSH session from %s is not limited (--no-ssh limits it)", s.client);
	return 0;
}

static int make_plan(struct guard_plan *plan, const struct guard_opts *o)
{
	uint32_t lines = 8;
	int rc = guard_plan_open(plan);

	if (rc)
		return fail_errno(rc, "random numbers");
	while (o->table && lines * GUARD_WAYS < o->table)
		lines *= 2;
	if (o->table)
		plan->conf.lines = lines - 1;
	if (o->quiet_time)
		plan->conf.ban_decay = guard_ticks_from_ns(o->quiet_time);
	if (o->ban_max)
		plan->conf.ban_max = guard_ticks_from_ns(o->ban_max);
	plan->conf.enforce = o->enforce;
	plan->conf.cookies = o->cookies && o->enforce;
	return add_limits(plan, o);
}

/* What rules do not support, --allow does not either. An installed guard keeps such an expression:
 * earlier versions took it. Reports errors. */
static int check_allow(const char *text, const struct filter_names *names)
{
	struct filter f = { 0 };
	struct diag diag;
	int rc = filter_parse(&f, text, names, &diag);
	const char *why = rc ? NULL : rules_unsupported(&f);

	filter_close(&f);
	if (rc)
		return fail_errno(rc, "--allow '%s'", text);
	return why ? fail_usage("--allow '%s': %s", text, why) : 0;
}

/* Adds the allowed sources. Sets that already exist are read from the kernel. */
static int add_allowed(struct guard_plan *plan, const struct guard_opts *o, struct gate_txn *txn)
{
	const struct filter_names names = gate_txn_names(txn);
	struct diag diag = { 0 };
	int rc = 0;

	guard_plan_clear_allow(plan);
	for (unsigned int i = 0; i < o->allow.n && !rc; i++) {
		if (guard_plan_add_allow(plan, o->allow.at[i], &names, &diag))
			rc = cmd_mistake("allow", o->allow.at[i], &diag) ? -E_USAGE : 0;
		else
			rc = check_allow(o->allow.at[i], &names);
	}
	if (!rc && o->enforce && !o->no_ssh && !o->common.netns)
		rc = allow_ssh(plan);
	return rc;
}

static void note_started(const struct gate_txn *s, const struct guard_plan *plan,
			 const struct guard_opts *o)
{
	const struct gate_install *install = &s->install[GATE_IN];
	bool xdp = hook_is_xdp(install->placed.hook);

	if (o->common.quiet)
		return;
	note("%s: guard: %u entries, %s", s->link.name, GUARD_RECS(plan->conf.lines) * GUARD_WAYS,
	     plan->conf.enforce ? "limits are enforced"
				: "dry run: nothing is dropped without --enforce");
	if (o->cookies && !o->enforce)
		note("%s: guard: a dry run sends no SYN cookies: add --enforce", s->link.name);
	else if (o->cookies && !xdp)
		note("%s: guard: SYN cookies need XDP; only the limits work here", s->link.name);
}

/* A transaction, and the netlink socket for undoing it. */
struct started {
	struct gate_txn *txn;
	struct nl *nl;
};

static int undo_start(void *arg)
{
	struct started *s = arg;

	return gate_txn_rollback(s->txn, s->nl);
}

static int wait_for_confirmation(struct gate_txn *txn, struct nl *nl, uint64_t time)
{
	struct started s = { txn, nl };
	const struct confirm c = { .iface = txn->link.name,
				   .change = "the guard is active",
				   .confirm = "guard confirm",
				   .inspect = "guard status",
				   .time = time,
				   .undo = undo_start,
				   .arg = &s };

	return cmd_confirm_wait(&c);
}

static int start_on(struct nl *nl, const struct link *link, const struct guard_opts *o,
		    struct guard_plan *plan)
{
	struct gate_txn_opts opts = { .hooks = { cmd_gate_hooks[o->at], HOOKS_TC },
				      .verbose = o->common.verbose,
				      .quiet = o->common.quiet,
				      .guard = plan };
	const struct guard_conf *was = NULL;
	struct gate_txn s;
	int rc = gate_txn_begin(&s, nl, link, &resolve_names, GATE_TXN_CHANGE);

	if (rc)
		return rc;
	if (s.install[GATE_IN].conf.guarded)
		was = &s.install[GATE_IN].conf.guard;
	if (opts.hooks[GATE_IN] & HOOK_BIT(s.install[GATE_IN].current.hook))
		opts.hooks[GATE_IN] = HOOK_BIT(s.install[GATE_IN].current.hook);
	rc = add_allowed(plan, o, &s);
	if (!rc)
		rc = guard_plan_finish(plan, was);
	if (!rc)
		rc = gate_txn_commit(&s, nl, &opts);
	if (!rc)
		note_started(&s, plan, o);
	if (!rc && o->confirm)
		rc = wait_for_confirmation(&s, nl, o->confirm);
	gate_txn_close(&s);
	conns_sweep();
	return rc;
}

typedef int on_fn(struct nl *nl, const struct link *link, const struct guard_opts *o,
		  struct guard_plan *plan);

static int on_each(const struct guard_opts *o, struct guard_plan *plan, on_fn *fn)
{
	struct nl nl = { 0 };
	int rc;

	if (!o->common.ifaces.n)
		return fail_usage("name an interface: -i IFACE");
	rc = nl_open(&nl, 0);
	if (rc)
		return fail_errno(rc, "route netlink");
	for (unsigned int i = 0; i < o->common.ifaces.n && !rc; i++) {
		struct link link;

		rc = cmd_gate_link(&nl, o->common.ifaces.at[i], &link);
		if (!rc)
			rc = fn(&nl, &link, o, plan);
	}
	nl_close(&nl);
	return rc;
}

static int run_start(int argc, char **argv)
{
	struct guard_opts o = { 0 };
	struct guard_plan plan = { 0 };
	char **rest;
	int n, rc = guard_begin(&start_spec, &o, argc, argv, &rest, &n);

	if (rc)
		return rc > 0 ? 0 : rc;
	if (n)
		return fail_usage("unexpected argument %s", rest[0]);
	if (o.confirm && o.common.ifaces.n > 1)
		return fail_usage("--confirm takes one interface");
	rc = make_plan(&plan, &o);
	if (!rc)
		rc = on_each(&o, &plan, start_on);
	guard_plan_close(&plan);
	return rc;
}

static const struct opt stop_rows[] = { GATE_ROWS_WHERE(O), { 0 } };
static const struct opt_spec stop_spec = {
	.command = "guard stop",
	.usage = "-i IFACE...",
	.about = "remove the guard; installed rules and counters stay",
	.rows = stop_rows,
};
#undef O

static int stop_on(struct nl *nl, const struct link *link, const struct guard_opts *o,
		   struct guard_plan *plan)
{
	struct gate_txn_opts opts = { .hooks = { 0, HOOKS_TC }, .unguard = true };
	struct gate_txn s;
	int rc = gate_txn_begin(&s, nl, link, &resolve_names, GATE_TXN_CHANGE);

	(void)o;
	(void)plan;
	if (rc)
		return rc;
	if (!(s.install[GATE_IN].users & GATE_USER_GUARD)) {
		gate_txn_close(&s);
		return fail(-ENOENT, "%s: no guard is installed", link->name);
	}
	opts.hooks[GATE_IN] = HOOK_BIT(s.install[GATE_IN].current.hook);
	rc = gate_txn_commit(&s, nl, &opts);
	gate_txn_close(&s);
	return rc;
}

static int run_stop(int argc, char **argv)
{
	struct guard_opts o = { 0 };
	char **rest;
	int n, rc = guard_begin(&stop_spec, &o, argc, argv, &rest, &n);

	if (rc)
		return rc > 0 ? 0 : rc;
	if (n)
		return fail_usage("unexpected argument %s", rest[0]);
	return on_each(&o, NULL, stop_on);
}

int guard_show(const struct opt_spec *spec, int argc, char **argv, guard_print *print)
{
	struct guard_opts o = { 0 };
	struct guard_views v = { 0 };
	struct sink *sink;
	char **rest;
	int n, rc = guard_begin(spec, &o, argc, argv, &rest, &n);

	if (rc)
		return rc > 0 ? 0 : rc;
	if (n)
		return fail_usage("unexpected argument %s", rest[0]);
	rc = guard_views_open(&v, &o.common.ifaces);
	if (rc)
		return rc;
	sink = cmd_open_sink(&o.common, false, NULL);
	rc = sink ? guard_views_read(&v) : -EIO;
	if (!rc) {
		rc = print(&v, &o, sink);
		if (rc && rc != -ECANCELED) /* -ECANCELED: already reported */
			fail_errno(rc, "standard output");
	}
	if (sink)
		sink_free(sink);
	guard_views_close(&v);
	return rc;
}

static const struct opt_spec confirm_spec = {
	.command = "guard confirm",
	.usage = "-i IFACE",
	.about = "keep a guard that was started with --confirm",
	.rows = cmd_confirm_rows,
};

static int run_confirm(int argc, char **argv)
{
	return cmd_confirm_run(&confirm_spec, GUARD_NEEDS, argc, argv);
}

static const struct command start_command = { &start_spec, run_start, NULL, NULL };
static const struct command stop_command = { &stop_spec, run_stop, NULL, NULL };
static const struct command confirm_command = { &confirm_spec, run_confirm, NULL, NULL };

static const struct opt_spec spec = {
	.command = "guard",
	.usage = "COMMAND [OPTIONS]",
	.about = "limit and ban sources or destinations (DDoS protection)\n"
		 "A guard stays in the kernel without a process. Without "
		 "--enforce it only counts what it would drop.",
	.examples = "  sonde guard start -i eth0 -l 'src 1000 packets/s ban 60s'     a dry run\n"
		    "  sonde guard status\n"
		    "  sonde guard start -i eth0 -l 'src 1000 packets/s ban 60s' --enforce\n",
};

static const struct command *const subs[] = {
	&start_command,       &stop_command,
	&confirm_command,     &guard_status_command,
	&guard_top_command,   &guard_list_command,
	&guard_ban_command,   &guard_unban_command,
	&guard_watch_command, NULL,
};

const struct command cmd_guard = { &spec, NULL, subs, NULL };
