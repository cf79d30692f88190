/* SPDX-License-Identifier: MIT */
/* sonde probe list: lists what can be probed. A pattern is a whole name with stars and question
 * marks, as in a shell, or part of a name. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "cmd/common/opts.h"
#include "cmd/probe/options.h"
#include "out/page.h"
#include "probe/file.h"
#include "probe/scan.h"
#include "probe/target.h"
#include "sys/elf.h"
#include "sys/perf.h"
#include "sys/stdout.h"
#include "sys/wait.h"

enum { FULL = 1 << 16 };

struct list_opts {
	struct cmd_common common;
};

#define O struct list_opts
static const struct opt rows[] = { OPT_ROWS_OUTPUT_NO_PROM(O), { 0 } };
#undef O
static const struct opt_spec spec = {
	.command = "probe list",
	.usage = "[OPTIONS] PATTERN",
	.about =
		"list the functions and tracepoints that can be probed\n"
		"PATTERN is part of a name, or a whole name with * and ?. It may start with a kind "
		"(kprobe:, tracepoint:, raw:); uprobe:PATH:PATTERN lists the functions of a "
		"program or library. Exits with 1 if nothing matches.",
	.rows = rows,
	.examples = "  sonde probe list 'tcp_*'\n"
		    "  sonde probe list tracepoint:skb:\n"
		    "  sonde probe list uprobe:libssl.so.3:SSL_\n",
};

struct target_row {
	const char *probe, *kind, *file, *name;
};

#define R struct target_row
static const struct col cols[] = {
	{ "probe", .role = COL_KEY, COL_AT_STR(R, probe) },
	{ "kind", .role = COL_KEY, COL_AT_STR(R, kind) },
	{ "file", .role = COL_KEY, COL_AT_STR(R, file) },
	{ "name", .role = COL_KEY, COL_AT_STR(R, name) },
};
#undef R
static const struct schema schema = SCHEMA("probe_target", cols);
static const struct schema *const records[] = { &schema, NULL };

struct lister {
	struct sink *sink; /* JSON; NULL: text */
	struct buf out, probe;
	const char *pattern; /* for the name after the kind */
	const char *kind;
	const char *path; /* file of a uprobe; NULL: the kernel */
	uint64_t n;
	int rc;
	bool never_blocks, globs;
	char last[TARGET_NAME]; /* versions of a function are adjacent: list one */
};

/* Backtracks only to the last star: earlier stars need not match more. */
static bool matches_glob(const char *pattern, const char *name)
{
	const char *star = NULL, *from = name;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			from = name;
		} else if (*pattern == '?' || *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++from;
		} else {
			return false;
		}
	}
	return !pattern[strspn(pattern, "*")];
}

static int write_target(struct lister *l, const char *name)
{
	struct target_row row = { .kind = l->kind, .file = l->path, .name = name };

	buf_clear(&l->probe);
	buf_printf(&l->probe, "%s:%s%s%s", l->kind, l->path ? l->path : "", l->path ? ":" : "",
		   name);
	buf_char(&l->probe, '\0');
	if (l->probe.nomem)
		return fail_errno(-ENOMEM, "standard output");
	row.probe = l->probe.data;
	if (!l->sink) {
		page_clean(&l->out, row.probe);
		buf_char(&l->out, '\n');
		return 0;
	}
	return sink_record(l->sink, &schema, &row) ? fail_errno(-ENOMEM, "standard output") : 0;
}

static int add_name(const char *name, void *arg)
{
	struct lister *l = arg;

	if (l->globs ? !matches_glob(l->pattern, name) : !strstr(name, l->pattern))
		return 0;
	if (!strcmp(name, l->last))
		return 0;
	snprintf(l->last, sizeof(l->last), "%s", name);
	l->n++;
	l->rc = write_target(l, name);
	if (!l->rc && l->out.len >= FULL)
		l->rc = stdout_write(&l->out, l->never_blocks);
	return l->rc != 0;
}

static int list_kind(struct lister *l, const struct target_kind *kind, const char *pattern)
{
	struct btf types = { 0 };
	int rc = 0;

	l->kind = kind->name;
	l->pattern = pattern;
	l->globs = strpbrk(pattern, "*?") != NULL;
	if (kind->category)
		rc = scan_tracepoints(add_name, l);
	else if (kind->tracepoint && !btf_open_kernel(&types))
		rc = scan_raw(&types, add_name, l);
	else if (!kind->tracepoint && perf_has_kprobes())
		rc = scan_functions(add_name, l);
	btf_close(&types);
	if (l->rc)
		return l->rc;
	return rc < 0 ? fail_errno(rc, "functions of the kernel") : 0;
}

/* Lists the functions for uprobe:PATH:PATTERN. */
static int list_file(struct lister *l, const char *pattern)
{
	struct target t;
	int rc;

	if (!strchr(strchr(pattern, ':') + 1, ':'))
		return fail_usage("to list the functions of a file, use uprobe:PATH:PATTERN");
	rc = target_parse(&t, pattern);
	if (rc)
		return rc;
	file_find_path(&t.file);
	l->kind = t.kind->name;
	l->path = t.file.path;
	l->pattern = t.name;
	l->globs = strpbrk(t.name, "*?") != NULL;
	rc = scan_file(t.file.path, add_name, l);
	if (rc < 0)
		return fail(rc, "%s: %s", t.file.path, elf_open_error(rc));
	return l->rc;
}

static int list_matching(struct lister *l, const char *pattern)
{
	const struct target_kind *kind = target_find_kind(pattern);
	int rc = 0;

	if (kind)
		return kind->user ? list_file(l, pattern)
				  : list_kind(l, kind, strchr(pattern, ':') + 1);
	for (kind = target_kinds; kind->name && !rc; kind++)
		if (!kind->user && !kind->returns)
			rc = list_kind(l, kind, pattern);
	return rc;
}

static int open_lister(struct lister *l, const struct cmd_common *common)
{
	int rc = wait_catch_signals();

	if (rc)
		return fail_errno(rc, "signals");
	l->never_blocks = fd_never_blocks(STDOUT_FILENO);
	if (common->format == SINK_TEXT)
		return 0;
	l->sink = cmd_open_sink(common, false, NULL);
	if (!l->sink)
		return -EIO;
	sink_into(l->sink, &l->out);
	return 0;
}

static int run_list(int argc, char **argv)
{
	struct list_opts o = { 0 };
	struct lister l = { 0 };
	char **rest;
	int n, rc = cmd_parse(&spec, &o, &o.common, argc, argv, &rest, &n);

	if (rc)
		return rc > 0 ? 0 : rc;
	if (n != 1)
		return fail_usage("give one PATTERN, such as 'tcp_*'");
	rc = open_lister(&l, &o.common);
	if (!rc)
		rc = list_matching(&l, rest[0]);
	if (!rc)
		rc = stdout_write(&l.out, l.never_blocks);
	if (!rc && !l.n)
		rc = fail(-ENOENT, "no function or tracepoint matches %s%s", rest[0],
			  perf_has_kprobes() ? "" : " (this kernel has no kprobes)");
	sink_free(l.sink);
	buf_free(&l.out);
	buf_free(&l.probe);
	return rc;
}

const struct command probe_list_command = { &spec, run_list, NULL, records };
