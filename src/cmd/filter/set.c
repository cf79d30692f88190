/* SPDX-License-Identifier: MIT */
/* sonde filter set: the sets of addresses that rules name, as the kernel has them. */
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
	GATE_ROWS_OUT(O),
	{ 0 },
};
static const struct opt change_rows[] = { GATE_ROWS_WHERE(O), FILTER_ROWS_PUT(O), { 0 } };

static const struct opt_spec list_spec = {
	.command = "filter set list",
	.usage = "-i IFACE [NAME]",
	.about = "the sets that rules name; of one all addresses",
	.rows = look_rows,
};
static const struct opt_spec add_spec = {
	.command = "filter set add",
	.usage = "-i IFACE NAME ADDRESS[/BITS]...",
	.about = "put addresses into a set",
	.rows = change_rows,
};
static const struct opt_spec del_spec = {
	.command = "filter set del",
	.usage = "-i IFACE NAME ADDRESS[/BITS]...",
	.about = "take addresses out of a set",
	.rows = change_rows,
};
static const struct opt_spec load_spec = {
	.command = "filter set load",
	.usage = "-i IFACE NAME [FILE]",
	.about = "a file's addresses in the place of a set's (FILE: the set's name)",
	.rows = change_rows,
};

struct set_rec {
	const char *interface, *name, *direction;
	uint64_t ipv4, ipv6;
};
#define R struct set_rec
static const struct col cols[] = {
	{ "interface", "iface", "device", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "set", "set", "set", .role = COL_KEY, COL_AT_STR(R, name) },
	{ "direction", "dir", .role = COL_INFO, COL_AT_STR(R, direction) },
	{ "ipv4_prefixes", "ipv4", "filter_set_ipv4_prefixes", "IPv4 prefixes in a set.",
	  .role = COL_GAUGE, COL_AT_U64(R, ipv4) },
	{ "ipv6_prefixes", "ipv6", "filter_set_ipv6_prefixes", "IPv6 prefixes in a set.",
	  .role = COL_GAUGE, COL_AT_U64(R, ipv6) },
};
#undef R
static const struct schema schema = { "filter_set", cols, sizeof(cols) / sizeof(*cols), 0 };

static struct gate_txn_set *find_set(const struct gate_txn *s, const char *name)
{
	struct gate_txn_set *set = gate_txn_find_set(s, name);

	if (!set)
		fail(-ENOENT, "%s: no rule names a set %s (sonde filter set list -i %s)",
		     s->link.name, name, s->link.name);
	return set;
}

static int put_sets(const struct filter_txns *s, struct sink *sink)
{
	static const char *const directions[] = { "-", "in", "out", "in, out" };
	int rc = sink_begin(sink, &schema, NULL);
	size_t shown = 0;

	for (unsigned int i = 0; i < s->n; i++)
		for (size_t j = 0; j < s->at[i].nsets && !rc; j++) {
			const struct gate_txn_set *set = &s->at[i].sets[j];
			const struct set_rec rec = { .interface = s->at[i].link.name,
						     .name = set->set.name,
						     .direction = directions[set->used_in & 3],
						     .ipv4 = set->set.of[SET_IPV4].n,
						     .ipv6 = set->set.of[SET_IPV6].n };

			rc = sink_row(sink, &rec);
			shown++;
		}
	if (!rc)
		rc = shown ? sink_end(sink) : sink_line(sink, "no rule there names a set");
	return rc ? fail_errno(rc, "standard output") : 0;
}

static int print_set(const struct gate_txn *s, const char *name)
{
	const struct gate_txn_set *set = find_set(s, name);
	struct buf text = { 0 };
	int rc;

	if (!set)
		return -ENOENT;
	set_print(&set->set, &text);
	rc = buf_write(&text, STDOUT_FILENO);
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
	if (n > 1 || (n && o.ifaces.n > 1))
		return fail_usage("one set of one interface at a time");
	sink = sink_new((enum sink_format)o.format, STDOUT_FILENO, false);
	if (!sink)
		return fail_errno(-ENOMEM, "output");
	rc = filter_txns_begin(&s, &o, GATE_TXN_READ);
	if (!rc)
		rc = n ? print_set(s.at, rest[0]) : put_sets(&s, sink);
	sink_free(sink);
	filter_txns_close(&s);
	return rc;
}

/* What a command makes of a set, out of its words behind the set's name. */
typedef int edit_fn(struct filter_set *set, const char *name, char **words, int n);

static int edit(struct gate_txn *s, char **words, int n, edit_fn *fn)
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

/* Addresses typed as words are lines of a text. */
static int change_words(struct filter_set *set, char **words, int n,
			int (*change)(struct filter_set *, const char *, size_t, struct diag *))
{
	for (int i = 0; i < n; i++) {
		struct diag diag = { 0 };
		int rc = change(set, words[i], strlen(words[i]), &diag);

		if (rc == -EINVAL)
			return fail_usage("%s: no address or prefix", words[i]);
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

static int add(struct gate_txn *s, const struct filter_opts *o, char **words, int n)
{
	(void)o;
	return edit(s, words, n, add_words);
}

static int del_words(struct filter_set *set, const char *name, char **words, int n)
{
	(void)name;
	return change_words(set, words, n, set_remove);
}

static int del(struct gate_txn *s, const struct filter_opts *o, char **words, int n)
{
	(void)o;
	return edit(s, words, n, del_words);
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

static int load(struct gate_txn *s, const struct filter_opts *o, char **words, int n)
{
	(void)o;
	return edit(s, words, n, load_file);
}

static int run_add(int argc, char **argv)
{
	return filter_change(&add_spec, argc, argv, 2, true, add);
}

static int run_del(int argc, char **argv)
{
	return filter_change(&del_spec, argc, argv, 2, true, del);
}

static int run_load(int argc, char **argv)
{
	return filter_change(&load_spec, argc, argv, 1, true, load);
}

static const struct opt_spec spec = {
	.command = "filter set",
	.usage = "COMMAND [OPTIONS]",
	.about = "the sets of addresses that rules name, or a guard's --allow",
	.examples =
		"A set's name is that of the file it was read from when the first rule named it;\n"
		"then it is the kernel's, and the file is read again by load only.\n",
};

static int run(int argc, char **argv)
{
	static const struct cmd_sub subs[] = { { &list_spec, run_list },
					       { &add_spec, run_add },
					       { &del_spec, run_del },
					       { &load_spec, run_load } };

	return cmd_run_sub(&spec, subs, sizeof(subs) / sizeof(*subs), argc, argv);
}

const struct cmd_sub filter_sub_set = { &spec, run };
