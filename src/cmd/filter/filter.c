/* SPDX-License-Identifier: MIT */
/* sonde filter: installs rules in the kernel that allow and drop packets and outlast the
 * command. */
#include "cmd/filter/filter.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "resolve/names.h"

int filter_dir(const struct filter_opts *o, enum gate_dir *dir)
{
	if (o->in && o->out)
		return fail_usage("--in and --out cannot be used together");
	if (o->out && !(cmd_gate_hooks[o->at] & HOOKS_TC))
		return fail_usage("outgoing packets have no XDP hook: use --at tc");
	*dir = o->out ? GATE_OUT : GATE_IN;
	return 0;
}

#define FILTER_NEEDS "rules in the kernel need"

int filter_begin(const struct opt_spec *spec, struct filter_opts *o, int argc, char **argv,
		 char ***rest, int *nrest)
{
	int rc = cmd_parse(spec, o, &o->common, argc, argv, rest, nrest);

	return rc ? rc : cmd_gate_begin(FILTER_NEEDS, o->common.netns);
}

/* Returns true if the interface was named before. */
static bool is_open(const struct filter_txns *s, const struct link *link)
{
	for (unsigned int i = 0; i < s->n; i++)
		if (s->at[i].link.ifindex == link->ifindex)
			return true;
	return false;
}

int filter_txns_begin(struct filter_txns *s, const struct filter_opts *o, enum gate_txn_mode mode)
{
	struct filter_txns got = { 0 };
	int rc;

	if (!o->common.ifaces.n)
		return fail_usage("name an interface: -i IFACE");
	rc = nl_open(&got.nl, 0);
	if (rc)
		return fail_errno(rc, "route netlink");
	got.at = calloc(o->common.ifaces.n, sizeof(*got.at));
	if (!got.at)
		rc = fail_errno(-ENOMEM, "interfaces");
	for (unsigned int i = 0; i < o->common.ifaces.n && !rc; i++) {
		struct link link;

		rc = cmd_gate_link(&got.nl, o->common.ifaces.at[i], &link);
		if (rc || is_open(&got, &link))
			continue;
		rc = gate_txn_begin(&got.at[got.n], &got.nl, &link, &resolve_names, mode);
		got.n += !rc;
	}
	if (rc)
		filter_txns_close(&got);
	else
		*s = got;
	return rc;
}

int filter_txns_rollback(struct filter_txns *s)
{
	int rc = 0;

	for (unsigned int i = s->n; i-- > 0;) {
		int err = gate_txn_rollback(&s->at[i], &s->nl);

		if (!rc)
			rc = err;
	}
	return rc;
}

static int undo_rules(void *arg)
{
	return filter_txns_rollback(arg);
}

static int wait_for_confirmation(struct filter_txns *s, uint64_t time)
{
	const struct confirm c = { .iface = s->at[0].link.name,
				   .change = "the new rules are active",
				   .confirm = "filter confirm",
				   .inspect = "filter list",
				   .time = time,
				   .undo = undo_rules,
				   .arg = s };

	return cmd_confirm_wait(&c);
}

int filter_txns_commit(struct filter_txns *s, const struct filter_opts *o, bool reload)
{
	const struct gate_txn_opts opts = { .hooks = { cmd_gate_hooks[o->at], HOOKS_TC },
					    .reload = reload,
					    .verbose = o->common.verbose,
					    .quiet = o->common.quiet };
	int rc = 0;

	for (unsigned int i = 0; i < s->n && !rc; i++) {
		rc = o->no_ssh || o->common.netns ? 0 : filter_allow_ssh(&s->at[i]);
		if (!rc)
			rc = gate_txn_commit(&s->at[i], &s->nl, &opts);
	}
	if (rc)
		filter_txns_rollback(s); /* has no effect on interfaces that were not reached */
	else if (o->confirm)
		rc = wait_for_confirmation(s, o->confirm);
	return rc;
}

void filter_txns_close(struct filter_txns *s)
{
	for (unsigned int i = 0; i < s->n; i++)
		gate_txn_close(&s->at[i]);
	free(s->at);
	nl_close(&s->nl);
	*s = (struct filter_txns){ 0 };
}

int filter_parse_rules(struct rules *r, const char *file, const char *text, size_t len,
		       enum gate_dir dir, const struct filter_names *names)
{
	struct diag diag = { 0 };
	int rc = rules_parse(r, text, len, dir, names, &diag);

	if (rc == -EINVAL && file)
		return fail(rc, "%s:%s", file, diag.msg);
	if (rc == -EINVAL) {
		/* Remove the line number: the text is one line, and the mark shows the column. */
		const char *words = strstr(diag.msg, ": ");

		memmove(diag.msg, words + 2, strlen(words + 2) + 1);
		return cmd_mistake("rule", text, &diag) ? -E_USAGE : 0;
	}
	return rc ? fail_errno(rc, "rules") : 0;
}

int filter_change(const struct opt_spec *spec, int argc, char **argv, const char *what, int least,
		  bool reload, filter_change_fn *fn)
{
	struct filter_opts o = { 0 };
	struct filter_txns s = { 0 };
	char **rest;
	int n, rc = filter_begin(spec, &o, argc, argv, &rest, &n);

	if (rc)
		return rc > 0 ? 0 : rc;
	if (n < least)
		return fail_usage("missing argument: %s", what);
	rc = filter_txns_begin(&s, &o, GATE_TXN_CHANGE);
	if (rc)
		return rc;
	for (unsigned int i = 0; i < s.n && !rc; i++)
		rc = fn(&s.at[i], &o, rest, n);
	if (!rc)
		rc = filter_txns_commit(&s, &o, reload);
	filter_txns_close(&s);
	return rc;
}

#define O struct filter_opts
static const struct opt add_rows[] = {
	GATE_ROWS_WHERE(O),
	FILTER_ROWS_DIR(O),
	OPT_STR(0, "name", "WORD", O, name, "name of the rule"),
	OPT_FLAG(0, "first", O, first, "put the rule before all others"),
	OPT_STR(0, "before", "RULE", O, before,
		"put the rule before this one, an id or a name (default: last)"),
	FILTER_ROWS_PUT(O),
	{ 0 },
};
static const struct opt_spec add_spec = {
	.command = "filter add",
	.usage = "-i IFACE [OPTIONS] allow|drop [EXPRESSION]",
	.about = "add a rule: the first rule that matches decides\n"
		 "Without an expression the rule matches every packet. See `sonde help filter` for "
		 "the language.",
	.rows = add_rows,
	.examples = "  sonde filter add -i eth0 drop 'tcp and not dst port 80'\n"
		    "  sonde filter add -i eth0 --first allow src net 192.0.2.0/24\n"
		    "  sonde filter add -i eth0 drop src set bad.txt\n",
};

static int place_last(struct gate_txn *s, const struct filter_opts *o)
{
	const struct rule *before = NULL;

	if (o->first && o->before)
		return fail_usage("--first and --before cannot be used together");
	if (o->before) {
		before = rules_find(&s->rules, o->before);
		if (!before)
			return fail(-ENOENT, "%s: no rule %s (sonde filter list -i %s)",
				    s->link.name, o->before, s->link.name);
	} else if (o->first && s->rules.n > 1) {
		before = s->rules.at;
	}
	if (before)
		rules_move_last(&s->rules, (size_t)(before - s->rules.at));
	return 0;
}

static int add_rule(struct gate_txn *s, const struct filter_opts *o, char **words, int n)
{
	const struct filter_names names = gate_txn_names(s);
	char *expr = cmd_join(words + 1, n - 1);
	struct buf line = { 0 };
	enum gate_dir dir;
	int rc = filter_dir(o, &dir);

	buf_printf(&line, "%s%s%s%s%s", words[0], o->name ? " name " : "", o->name ? o->name : "",
		   n > 1 ? " " : "", expr ? expr : "");
	buf_char(&line, '\0');
	/* The rules text has one rule per line. */
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] == '\n')
			line.data[i] = ' ';
	if (!rc)
		rc = expr && !line.nomem ? filter_parse_rules(&s->rules, NULL, line.data,
							      line.len - 1, dir, &names)
					 : fail_errno(-ENOMEM, "rule");
	free(expr);
	buf_free(&line);
	return rc ? rc : place_last(s, o);
}

static int run_add(int argc, char **argv)
{
	return filter_change(&add_spec, argc, argv, "allow or drop", 1, false, add_rule);
}

static const struct command add_command = { &add_spec, run_add, NULL, NULL };

static const struct opt put_rows[] = {
	GATE_ROWS_WHERE(O), FILTER_ROWS_DIR(O), FILTER_ROWS_PUT(O), { 0 }
};
static const struct opt_spec default_spec = {
	.command = "filter default",
	.usage = "-i IFACE [OPTIONS] allow|drop",
	.about = "set what happens to packets that no rule matches\n"
		 "Until it is set, they pass. The default applies to IP packets: "
		 "with drop, ARP, neighbor discovery and packets that are neither "
		 "IPv4 nor IPv6 still pass, unless a rule matches them.",
	.rows = put_rows,
};

static int set_default(struct gate_txn *s, const struct filter_opts *o, char **words, int n)
{
	enum gate_dir dir;
	int rc = filter_dir(o, &dir);

	if (rc)
		return rc;
	if (n > 1 || (strcmp(words[0], "drop") && strcmp(words[0], "allow")))
		return fail_usage("unexpected argument %s: the default is allow or drop",
				  words[n > 1]);
	s->rules.drops[dir] = !strcmp(words[0], "drop");
	return 0;
}

static int run_default(int argc, char **argv)
{
	return filter_change(&default_spec, argc, argv, "allow or drop", 1, false, set_default);
}

static const struct command default_command = { &default_spec, run_default, NULL, NULL };

static const struct opt_spec del_spec = {
	.command = "filter del",
	.usage = "-i IFACE [OPTIONS] RULE...",
	.about = "delete rules, by id or name",
	.rows = put_rows,
};

static int delete_rules(struct gate_txn *s, const struct filter_opts *o, char **words, int n)
{
	(void)o;
	for (int i = 0; i < n; i++) {
		const struct rule *rule = rules_find(&s->rules, words[i]);

		if (!rule)
			return fail(-ENOENT, "%s: no rule %s (sonde filter list -i %s)",
				    s->link.name, words[i], s->link.name);
		rules_remove(&s->rules, (size_t)(rule - s->rules.at));
	}
	return 0;
}

static int run_del(int argc, char **argv)
{
	return filter_change(&del_spec, argc, argv, "the id or name of a rule", 1, false,
			     delete_rules);
}

static const struct command del_command = { &del_spec, run_del, NULL, NULL };

static const struct opt clear_rows[] = { GATE_ROWS_WHERE(O),
					 OPT_ROW_QUIET(O, "print errors only"),
					 { 0 } };
static const struct opt_spec clear_spec = {
	.command = "filter clear",
	.usage = "-i IFACE...",
	.about = "remove all rules; installed counters stay",
	.rows = clear_rows,
};

static int run_clear(int argc, char **argv)
{
	struct filter_opts o = { .no_ssh = true };
	struct filter_txns s = { 0 };
	char **rest;
	int n, rc = filter_begin(&clear_spec, &o, argc, argv, &rest, &n);

	if (rc)
		return rc > 0 ? 0 : rc;
	if (n)
		return fail_usage("unexpected argument %s", rest[0]);
	rc = filter_txns_begin(&s, &o, GATE_TXN_CLEAR);
	if (!rc)
		rc = filter_txns_commit(&s, &o, false);
	filter_txns_close(&s);
	return rc;
}

static const struct command clear_command = { &clear_spec, run_clear, NULL, NULL };

static const struct opt replace_rows[] = {
	GATE_ROWS_WHERE(O),
	FILTER_ROWS_DIR(O),
	OPT_STR('f', "file", "FILE", O, file, "file with one rule per line; - is standard input"),
	FILTER_ROWS_PUT(O),
	{ 0 }
};
static const struct opt_spec replace_spec = {
	.command = "filter replace",
	.usage = "-i IFACE [OPTIONS] -f FILE",
	.about = "replace all rules with those in a file, in one step\n"
		 "A line is [ID] [in|out] allow|drop [name WORD] [EXPRESSION], or "
		 "[in|out] default allow|drop. # starts a comment. Lines without "
		 "in or out are for incoming packets, with --out for outgoing ones.",
	.rows = replace_rows,
	.examples = "  sonde filter replace -i eth0 -f rules.txt --confirm 60s\n",
};

static int replace_rules(struct gate_txn *s, const struct filter_opts *o, const struct buf *text)
{
	enum gate_dir dir;
	int rc = filter_dir(o, &dir);

	if (rc)
		return rc;
	rules_close(&s->rules);
	return filter_parse_rules(&s->rules, o->file, text->len ? text->data : "", text->len, dir,
				  &resolve_names);
}

static int run_replace(int argc, char **argv)
{
	struct filter_opts o = { 0 };
	struct filter_txns s = { 0 };
	struct buf text = { 0 };
	char **rest;
	int n, rc = filter_begin(&replace_spec, &o, argc, argv, &rest, &n);

	if (rc)
		return rc > 0 ? 0 : rc;
	if (n || !o.file)
		return fail_usage("missing file of rules: -f FILE");
	rc = cmd_read_file(o.file, &text);
	if (!rc)
		rc = filter_txns_begin(&s, &o, GATE_TXN_CHANGE);
	for (unsigned int i = 0; i < s.n && !rc; i++)
		rc = replace_rules(&s.at[i], &o, &text);
	if (!rc)
		rc = filter_txns_commit(&s, &o, true);
	filter_txns_close(&s);
	buf_free(&text);
	return rc;
}

static const struct command replace_command = { &replace_spec, run_replace, NULL, NULL };

static const struct opt_spec confirm_spec = {
	.command = "filter confirm",
	.usage = "-i IFACE",
	.about = "keep a change that was made with --confirm",
	.rows = cmd_confirm_rows,
};

static int run_confirm(int argc, char **argv)
{
	return cmd_confirm_run(&confirm_spec, FILTER_NEEDS, argc, argv);
}

static const struct command confirm_command = { &confirm_spec, run_confirm, NULL, NULL };

static const struct opt_spec spec = {
	.command = "filter",
	.usage = "COMMAND [OPTIONS]",
	.about = "allow or drop packets by rules in the kernel\n"
		 "Rules stay in the kernel without a process. A change is atomic: each packet is "
		 "handled by the old rules or by the new ones.",
	.examples = "  sonde filter add -i eth0 drop 'tcp and not dst port 80'\n"
		    "  sonde filter list\n"
		    "  sonde filter clear -i eth0\n",
};

static const struct command *const subs[] = {
	&add_command,     &del_command,   &filter_list_command, &default_command,
	&replace_command, &clear_command, &filter_set_command,  &filter_test_command,
	&confirm_command, NULL,
};

const struct command cmd_filter = { &spec, NULL, subs, NULL };
