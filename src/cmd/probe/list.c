/* SPDX-License-Identifier: MIT */
/* A pattern is a whole name with stars and question marks, as in a shell, or a part of a name. */
#include "cmd/probe/list.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "cmd/common/cmd.h"
#include "out/page.h"
#include "probe/file.h"
#include "probe/scan.h"
#include "sys/elf.h"
#include "sys/perf.h"
#include "sys/stdout.h"
#include "sys/wait.h"

enum { FULL = 1 << 16 };

struct lister {
	struct buf out;
	const char *pattern; /* of the name behind the kind */
	const char *kind;
	const char *path; /* uprobes: the file */
	uint64_t n;
	int rc;
	bool patient, globs;
	char last[TARGET_NAME]; /* versions of a function stand one behind the other */
};

/* Only the last star has to be gone back to: what those before it took is enough for them. */
static bool fits(const char *pattern, const char *name)
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

static int put(const char *name, void *arg)
{
	struct lister *l = arg;

	if (l->globs ? !fits(l->pattern, name) : !strstr(name, l->pattern))
		return 0;
	if (!strcmp(name, l->last))
		return 0;
	snprintf(l->last, sizeof(l->last), "%s", name);
	l->n++;
	buf_printf(&l->out, "%s:", l->kind);
	if (l->path) {
		page_clean(&l->out, l->path);
		buf_char(&l->out, ':');
	}
	page_clean(&l->out, name);
	buf_char(&l->out, '\n');
	l->rc = l->out.len < FULL ? 0 : stdout_write(&l->out, l->patient);
	return l->rc != 0;
}

static int list_kind(struct lister *l, enum target_kind kind, const char *pattern)
{
	struct btf types = { 0 };
	int rc = 0;

	l->kind = target_kinds[kind];
	l->pattern = pattern;
	l->globs = strpbrk(pattern, "*?") != NULL;
	if (kind == TARGET_TRACEPOINT)
		rc = scan_tracepoints(put, l);
	else if (kind == TARGET_RAW && !btf_open_kernel(&types))
		rc = scan_raw(&types, put, l);
	else if (kind <= TARGET_KRETPROBE && perf_has_kprobes())
		rc = scan_functions(put, l);
	btf_close(&types);
	return l->rc ? l->rc : rc < 0 ? fail_errno(rc, "functions of the kernel") : 0;
}

/* uprobe:PATH:PATTERN */
static int list_file(struct lister *l, const char *pattern)
{
	struct target t;
	int rc;

	if (!strchr(strchr(pattern, ':') + 1, ':'))
		return fail_usage("of a file: uprobe:PATH:PATTERN");
	rc = target_parse(&t, pattern);
	if (rc)
		return rc;
	file_find_path(&t);
	l->kind = target_kinds[t.kind];
	l->path = t.path;
	l->pattern = t.name;
	l->globs = strpbrk(t.name, "*?") != NULL;
	rc = scan_file(t.path, put, l);
	if (rc < 0)
		return fail(rc, "%s: %s", t.path, elf_open_error(rc));
	return l->rc;
}

static int list(struct lister *l, const char *pattern)
{
	static const enum target_kind kinds[] = { TARGET_KPROBE, TARGET_TRACEPOINT, TARGET_RAW };
	int kind = target_kind_of(pattern), rc = 0;

	if (kind == TARGET_UPROBE || kind == TARGET_URETPROBE)
		return list_file(l, pattern);
	if (kind >= 0)
		return list_kind(l, (enum target_kind)kind, strchr(pattern, ':') + 1);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && !rc; i++)
		rc = list_kind(l, kinds[i], pattern);
	return rc;
}

int probe_list(const char *pattern)
{
	struct lister l = { .patient = fd_never_blocks(STDOUT_FILENO) };
	int rc = wait_catch_signals();

	rc = rc ? fail_errno(rc, "signals") : list(&l, pattern);
	if (!rc)
		rc = stdout_write(&l.out, l.patient);
	if (!rc && !l.n)
		rc = fail(-ENOENT, "nothing here fits %s%s", pattern,
			  perf_has_kprobes() ? "" : " (this kernel has no kprobes)");
	buf_free(&l.out);
	return rc;
}
