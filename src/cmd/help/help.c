/* SPDX-License-Identifier: MIT */
/* sonde help: describes commands and topics; sonde version. */
#include "cmd/help/help.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "base/unpack.h"
#include "base/version.h"
#include "gen/pages.gen.h"

static const struct opt rows[] = { { 0 } };

static const struct opt_spec spec = {
	.command = "help",
	.usage = "[COMMAND [SUBCOMMAND...] | TOPIC]",
	.about = "explain a command or a topic\n"
		 "TOPIC is filter (the filter language), json (the fields of every record), costs "
		 "(what each command costs the host) or exit (exit codes). `sonde filter --help` "
		 "explains the command of that name.",
	.rows = rows,
	.examples = "  sonde help\n"
		    "  sonde help guard start\n"
		    "  sonde help filter\n",
};

static const struct page_entry *find_page(const char *name)
{
	for (int i = 0; i < PAGES; i++)
		if (!strcmp(page_entries[i].name, name))
			return &page_entries[i];
	return NULL;
}

/* Unpacks the text of all pages. The caller frees it. NULL: out of memory. */
static char *unpack_pages(void)
{
	char *text = malloc(PAGES_LEN);

	if (text && unpack_lz4(pages_packed, PAGES_PACKED, text, PAGES_LEN)) {
		free(text);
		text = NULL;
	}
	return text;
}

static int put_page(const struct page_entry *page, struct buf *out)
{
	char *text = unpack_pages();

	if (!text)
		return fail_errno(-ENOMEM, "help");
	buf_add(out, text + page->off, page->len);
	free(text);
	return 0;
}

/* A page's first line is "NAME: DESCRIPTION". */
static void put_topics(struct buf *out)
{
	char *text = unpack_pages();

	for (int i = 0; text && i < PAGES; i++) {
		const char *about = strchr(text + page_entries[i].off, ':');

		opt_put_entry(out, page_entries[i].name, about ? about + 2 : "");
	}
	opt_put_entry(out, "json", "the fields of every JSON record");
	free(text);
}

static void put_overview(struct buf *out)
{
	buf_str(out, "sonde: what a Linux host's network does, seen from inside the kernel (eBPF)\n"
		     "Usage: sonde COMMAND [OPTIONS] [FILTER]\n\nCommands:\n");
	for (const struct command *const *c = commands; *c; c++)
		opt_put_entry(out, cmd_name(*c), (*c)->opt->about);
	buf_str(out, "\nTopics:\n");
	put_topics(out);
	buf_str(out,
		"\nRun `sonde COMMAND --help` or `sonde help TOPIC` for details, `sonde demo` for "
		"a\nfirst look, `sonde doctor` for what this kernel allows.\n");
}

static int put_command(char **words, int n, struct buf *out)
{
	const struct command *c = cmd_find(commands, words[0]);

	if (!c)
		return cmd_unknown(commands, words[0]);
	for (int i = 1; i < n; i++) {
		const struct command *sub = cmd_find(c->subs, words[i]);

		if (!sub && !c->subs)
			return fail_usage("%s has no subcommands", c->opt->command);
		if (!sub)
			return cmd_unknown(c->subs, words[i]);
		c = sub;
	}
	cmd_put_help(c, out);
	return 0;
}

/* Prefers a topic to a command of the same name, which has --help. */
static int put_help(char **words, int n, struct buf *out)
{
	const struct page_entry *page = n == 1 ? find_page(words[0]) : NULL;

	if (page)
		return put_page(page, out);
	if (n == 1 && !strcmp(words[0], "json"))
		help_put_records(out);
	else if (n)
		return put_command(words, n, out);
	else
		put_overview(out);
	return 0;
}

static int run_help(int argc, char **argv)
{
	struct cmd_common none = { 0 };
	struct buf out = { 0 };
	char **words;
	int n, rc = cmd_parse(&spec, &none, &none, argc, argv, &words, &n);

	if (rc)
		return rc > 0 ? 0 : rc;
	rc = put_help(words, n, &out);
	if (!rc) {
		rc = buf_write(&out, STDOUT_FILENO);
		if (rc)
			fail_errno(rc, "standard output");
	}
	buf_free(&out);
	return rc;
}

const struct command cmd_help = { &spec, run_help, NULL, NULL };

static const struct opt version_rows[] = { { 0 } };
static const struct opt_spec version_spec = {
	.command = "version", .usage = "", .about = "print the version", .rows = version_rows
};

static int run_version(int argc, char **argv)
{
	struct cmd_common none = { 0 };
	int rc = cmd_parse_options(&version_spec, &none, &none, argc, argv);

	if (rc)
		return rc > 0 ? 0 : rc;
	printf("sonde %s\n", SONDE_VERSION);
	return fflush(stdout) ? fail_errno(-errno, "standard output") : 0;
}

const struct command cmd_version = { &version_spec, run_version, NULL, NULL };
