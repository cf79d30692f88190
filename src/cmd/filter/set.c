/* SPDX-License-Identifier: MIT */
/* sonde filter set: shows and changes the address sets of rules in the kernel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "cmd/filter/filter.h"
#include "out/sink.h"
#include "resolve/names.h"

#define O struct filter_opts
static const struct opt look_rows[] = {
	GATE_ROWS_WHERE(O),
	OPT_ROWS_OUTPUT(O),
	{ 0 },
};
static const struct opt change_rows[] = { GATE_ROWS_WHERE(O), FILTER_ROWS_PUT(O), { 0 } };

static const struct opt_spec list_spec = {
	.command = "filter set list",
	.usage = "-i IFACE [NAME]",
	.about = "list the sets that rules use, or the addresses of one\n"
		 "Exits with 1 if no rule uses a set.",
	.rows = look_rows,
};
static const struct opt_spec add_spec = {
	.command = "filter set add",
	.usage = "-i IFACE NAME ADDRESS[/BITS]...",
	.about = "add addresses to a set",
	.rows = change_rows,
};
static const struct opt_spec del_spec = {
	.command = "filter set del",
	.usage = "-i IFACE NAME ADDRESS[/BITS]...",
	.about = "remove addresses from a set",
	.rows = change_rows,
};
static const struct opt_spec load_spec = {
	.command = "filter set load",
	.usage = "-i IFACE NAME [FILE]",
	.about = "replace the addresses of a set with those in a file\n"
		 "FILE is the set's name if it is not given.",
	.rows = change_rows,
};

struct set_rec {
	const char *interface, *name;
	struct col_list directions;
	uint64_t ipv4, ipv6;
};
#define R struct set_rec
static const struct col cols[] = {
	{ "interface", "iface", "device", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "set", "set", "set", .role = COL_KEY, COL_AT_STR(R, name) },
	{ "directions", "dir", .role = COL_INFO, COL_AT_STRS(R, directions) },
	{ "ipv4_prefixes", "ipv4", "filter_set_ipv4_prefixes", "IPv4 prefixes in a set.",
	  .role = COL_GAUGE, COL_AT_U64(R, ipv4) },
	{ "ipv6_prefixes", "ipv6", "filter_set_ipv6_prefixes", "IPv6 prefixes in a set.",
	  .role = COL_GAUGE, COL_AT_U64(R, ipv6) },
};
#undef R
static const struct schema schema = SCHEMA("filter_set", cols);

struct member_rec {
	const char *interface, *set, *prefix;
};
#define R struct member_rec
static const struct col member_cols[] = {
	{ "interface", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "set", .role = COL_KEY, COL_AT_STR(R, set) },
	{ "prefix", .role = COL_KEY, COL_AT_STR(R, prefix) },
};
#undef R
static const struct schema member_schema = SCHEMA("filter_set_member", member_cols);
static const struct schema *const records[] = { &schema, &member_schema, NULL };

static struct gate_txn_set *find_set(const struct gate_txn *s, const char *name)
{
	struct gate_txn_set *set = gate_txn_find_set(s, name);

	if (!set)
		fail(-ENOENT, "%s: no rule uses a set %s (sonde filter set list -i %s lists them)",
		     s->link.name, name, s->link.name);
	return set;
}

static int put_sets(const struct filter_txns *s, struct sink *sink)
{
	static const char *const in_out[] = { "in", "out" };
	int rc = sink_begin(sink, &schema, NULL);
	size_t shown = 0;

	for (unsigned int i = 0; i < s->n; i++)
		for (size_t j = 0; j < s->at[i].nsets && !rc; j++) {
			const struct gate_txn_set *set = &s->at[i].sets[j];
			const bool in = set->used_in & 1u << GATE_IN,
				   out = set->used_in & 1u << GATE_OUT;
			const struct set_rec rec = {
				.interface = s->at[i].link.name,
				.name = set->set.name,
				.directions = { in ? in_out : in_out + 1, (size_t)in + out, 0 },
				.ipv4 = set->set.of[SET_IPV4].n,
				.ipv6 = set->set.of[SET_IPV6].n,
			};

			rc = sink_row(sink, &rec);
			shown++;
		}
	if (!rc && !shown)
		return fail(-ENOENT, "no rule uses a set");
	if (!rc)
		rc = sink_end(sink);
	return rc ? fail_errno(rc, "standard output") : 0;
}

/* Writes a record for each line of the set's text. */
static int put_members(struct sink *sink, const struct member_rec *of, char *text)
{
	struct member_rec rec = *of;
	int rc = sink_begin(sink, &member_schema, NULL);

	for (char *end; !rc && (end = strchr(text, '\n')); text = end + 1) {
		*end = '\0';
		rec.prefix = text;
		rc = sink_row(sink, &rec);
	}
	return rc ? rc : sink_end(sink);
}

static int print_set(const struct gate_txn *s, const char *name, const struct filter_opts *o,
		     struct sink *sink)
{
	const struct gate_txn_set *set = find_set(s, name);
	const struct member_rec of = { .interface = s->link.name, .set = name };
	struct buf text = { 0 };
	int rc;

	if (!set)
		return -ENOENT;
	if (o->common.format == SINK_PROM)
		return fail_usage(
			"-o prom lists sets, not the addresses of one: leave out its name");
	set_print(&set->set, &text);
	if (o->common.format == SINK_JSON) {
		buf_char(&text, '\0');
		rc = text.nomem ? -ENOMEM : put_members(sink, &of, text.data);
	} else {
		rc = buf_write(&text, STDOUT_FILENO);
	}
	buf_free(&text);
	return rc ? fail_errno(rc, "standard output") : 0;
}

static int run_list(int argc, char **argv)
{
	struct filter_opts o = { 0 };
	struct filter_txns s = { 0 };
	struct sink *sink;
	char **rest;
	int n, rc = filter_begin(&list_spec, &o, argc, argv, &rest, &n);

	if (rc)
		return rc > 0 ? 0 : rc;
	if (n > 1 || (n && o.common.ifaces.n > 1))
		return fail_usage("name at most one set, and one interface");
	sink = cmd_open_sink(&o.common, false, NULL);
	if (!sink)
		return -EIO;
	rc = filter_txns_begin(&s, &o, GATE_TXN_READ);
	if (!rc)
		rc = n ? print_set(s.at, rest[0], &o, sink) : put_sets(&s, sink);
	sink_free(sink);
	filter_txns_close(&s);
	return rc;
}

/* Applies a subcommand to a set. words: the operands after the set's name. */
typedef int edit_fn(struct filter_set *set, const char *name, char **words, int n);

static int edit_set(struct gate_txn *s, char **words, int n, edit_fn *fn)
{
	const struct gate_txn_set *at = find_set(s, words[0]);
	struct filter_set set = { 0 };
	int rc = at ? set_copy(&set, &at->set) : -ENOENT;

	if (rc)
		return rc == -ENOMEM ? fail_errno(rc, "set %s", words[0]) : rc;
	rc = fn(&set, words[0], words + 1, n - 1);
	if (!rc)
		rc = gate_txn_replace_set(s, words[0], &set);
	set_close(&set);
	return rc ? rc : gate_txn_reparse(s);
}

/* Parses addresses given as words like lines of a set's file. */
static int change_words(struct filter_set *set, char **words, int n,
			int (*change)(struct filter_set *, const char *, size_t, struct diag *))
{
	for (int i = 0; i < n; i++) {
		struct diag diag = { 0 };
		int rc = change(set, words[i], strlen(words[i]), &diag);

		if (rc == -EINVAL)
			return fail_usage("%s is not an address or a prefix", words[i]);
		if (rc)
			return fail_errno(rc, "set");
	}
	return 0;
}

static int add_words(struct filter_set *set, const char *name, char **words, int n)
{
	(void)name;
	return change_words(set, words, n, set_add);
}

static int add_members(struct gate_txn *s, const struct filter_opts *o, char **words, int n)
{
	(void)o;
	return edit_set(s, words, n, add_words);
}

static int del_words(struct filter_set *set, const char *name, char **words, int n)
{
	(void)name;
	return change_words(set, words, n, set_remove);
}

static int delete_members(struct gate_txn *s, const struct filter_opts *o, char **words, int n)
{
	(void)o;
	return edit_set(s, words, n, del_words);
}

static int load_file(struct filter_set *set, const char *name, char **words, int n)
{
	const char *file = n ? words[0] : name;
	struct buf text = { 0 };
	struct diag diag = { 0 };
	int rc = cmd_read_file(file, &text);

	if (rc)
		return rc;
	set_close(set);
	rc = set_parse(set, text.len ? text.data : "", text.len, &diag);
	buf_free(&text);
	if (rc == -EINVAL)
		return fail(rc, "%s:%s", file, diag.msg);
	return rc ? fail_errno(rc, "%s", file) : 0;
}

static int load_members(struct gate_txn *s, const struct filter_opts *o, char **words, int n)
{
	(void)o;
	return edit_set(s, words, n, load_file);
}

#define SET_OPERANDS "the name of a set and an address"

static int run_add(int argc, char **argv)
{
	return filter_change(&add_spec, argc, argv, SET_OPERANDS, 2, true, add_members);
}

static int run_del(int argc, char **argv)
{
	return filter_change(&del_spec, argc, argv, SET_OPERANDS, 2, true, delete_members);
}

static int run_load(int argc, char **argv)
{
	return filter_change(&load_spec, argc, argv, "the name of a set", 1, true, load_members);
}

static const struct command list_command = { &list_spec, run_list, NULL, records };
static const struct command add_command = { &add_spec, run_add, NULL, NULL };
static const struct command del_command = { &del_spec, run_del, NULL, NULL };
static const struct command load_command = { &load_spec, run_load, NULL, NULL };
static const struct command *const subs[] = { &list_command, &add_command, &del_command,
					      &load_command, NULL };

static const struct opt_spec spec = {
	.command = "filter set",
	.usage = "COMMAND [OPTIONS]",
	.about = "show and change the address sets that rules use\n"
		 "A new rule reads its set from a file. The set then stays in the "
		 "kernel under the file's name, and only load reads the file "
		 "again. Sets in a guard's --allow are also changed here.",
};

const struct command filter_set_command = { &spec, NULL, subs, NULL };
