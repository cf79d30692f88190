/* SPDX-License-Identifier: MIT */
/* Parses targets and finds them. What kinds have in common is in the table of kinds. */
#include "probe/target.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "base/near.h"
#include "probe/scan.h"
#include "probe/suggest.h"
#include "probe/syscall.h"
#include "sys/priv.h"

enum { KERNEL_ENOTSUPP = 524 }; /* the kernel's linux/errno.h */

const struct target_kind target_kinds[] = {
	{ .name = "kprobe" },
	{ .name = "kretprobe", .returns = true },
	{ .name = "uprobe", .user = true },
	{ .name = "uretprobe", .user = true, .returns = true },
	{ .name = "tracepoint", .tracepoint = true, .category = true },
	{ .name = "raw", .tracepoint = true },
	{ 0 },
};

const struct target_kind *target_find_kind(const char *word)
{
	const struct target_kind *kind = target_kinds;

	for (; kind->name; kind++) {
		size_t len = strlen(kind->name);

		if (!strncmp(word, kind->name, len) && word[len] == ':')
			return kind;
	}
	return NULL;
}

const char *target_suggest_kind(const char *word)
{
	const char *found = NULL;
	struct near near;

	near_begin(&near, word);
	for (const struct target_kind *kind = target_kinds; kind->name; kind++)
		if (near_try(&near, kind->name))
			found = kind->name;
	return found;
}

static int copy_name(char *to, size_t room, const char *from, size_t len, const char *word)
{
	if (!len)
		return fail_usage("%s: missing name", word);
	if (len >= room)
		return fail_usage("%s: name too long", word);
	memcpy(to, from, len);
	to[len] = '\0';
	return 0;
}

/* Parses PATH:SYMBOL, PATH:SYMBOL+OFFSET or PATH:0xADDRESS. A path may have colons, a symbol has
 * none. */
static int parse_user(struct target *t, const char *operand)
{
	const char *colon = strrchr(operand, ':'), *symbol = colon ? colon + 1 : operand, *plus;
	int rc;
	char *end;

	if (!colon)
		return fail_usage("%s: expected %s:PATH:SYMBOL", t->text, t->kind->name);
	rc = copy_name(t->file.path, sizeof(t->file.path), operand, (size_t)(colon - operand),
		       t->text);
	plus = strrchr(symbol, '+');
	if (!rc)
		rc = copy_name(t->name, sizeof(t->name), symbol,
			       plus ? (size_t)(plus - symbol) : strlen(symbol), t->text);
	if (rc || !plus)
		return rc;
	errno = 0;
	t->symbol_offset = strtoull(plus + 1, &end, 0);
	if (end == plus + 1 || *end || errno || plus[1] == '-')
		return fail_usage("%s: invalid offset %s", t->text, plus + 1);
	if (t->returns && t->symbol_offset)
		return fail_usage("%s: a return probe takes no offset", t->text);
	return 0;
}

static int parse_tracepoint(struct target *t, const char *operand)
{
	const char *colon = strchr(operand, ':');
	int rc = colon ? copy_name(t->category, sizeof(t->category), operand,
				   (size_t)(colon - operand), t->text)
		       : fail_usage("%s: expected tracepoint:CATEGORY:NAME, or raw:NAME", t->text);

	return rc ? rc : copy_name(t->name, sizeof(t->name), colon + 1, strlen(colon + 1), t->text);
}

int target_parse(struct target *t, const char *word)
{
	const struct target_kind *kind = target_find_kind(word);
	const char *operand = strchr(word, ':') + 1;

	*t = (struct target){ .text = word, .kind = kind, .returns = kind->returns, .syscall = -1 };
	if (kind->user)
		return parse_user(t, operand);
	if (kind->category)
		return parse_tracepoint(t, operand);
	return copy_name(t->name, sizeof(t->name), operand, strlen(operand), word);
}

static int fail_missing(const struct target *t)
{
	if (t->kind->category)
		return suggest_tracepoint(t->text, t->category, t->name);
	return t->kind->tracepoint ? suggest_raw(t->text, t->name)
				   : suggest_function(t->text, t->name);
}

int target_fail_attach(const struct target *t, int rc)
{
	if (rc == -ENOENT && !t->kind->user)
		return fail_missing(t);
	if (rc == -ENODEV)
		return fail(rc,
			    "%s: this kernel has no %s; look for a tracepoint instead (sonde "
			    "probe list PATTERN)",
			    t->text, t->kind->user ? "uprobes" : "kprobes");
	if ((rc == -EPERM || rc == -EACCES) && priv_lockdown() == LOCKDOWN_CONFIDENTIALITY)
		return fail(rc,
			    "%s: lockdown (confidentiality) forbids this probe; tracepoints "
			    "can be counted",
			    t->text);
	if (rc == -EADDRNOTAVAIL)
		return fail(rc, "%s: several functions in this kernel have that name", t->text);
	if (rc == -EINVAL && !t->kind->user)
		return fail(rc,
			    "%s: the kernel allows no probe there (without kprobes on "
			    "ftrace, none at a function's start)",
			    t->text);
	if (rc == -EINVAL || rc == -EOPNOTSUPP || rc == -KERNEL_ENOTSUPP)
		return fail(rc, "%s: the kernel allows no probe there (%s)", t->text,
			    rc == -EINVAL ? err_message(rc) : "this instruction");
	return fail_errno(rc, "%s", t->text);
}

static struct target_value copy_value(const struct btf_value *v)
{
	struct target_value kept = { .type = v->kind, .size = v->size };

	snprintf(kept.name, sizeof(kept.name), "%s", v->name);
	return kept;
}

/* Returns how many arguments of a function are in registers. */
static uint8_t count_arg_registers(const struct target *t)
{
#if defined(__x86_64__)
	return !t->kind->user || t->file.is_64bit ? 6 : 0; /* those of i386 are on the stack */
#elif defined(__s390x__)
	(void)t;
	return 5;
#elif defined(__arm__)
	(void)t;
	return 4;
#else
	(void)t;
	return PROBE_ARGS;
#endif
}

static struct target_value describe_return(const struct target *t, const struct btf_value *typed)
{
	struct target_value v = { .type = BTF_VALUE_UNSIGNED, .size = sizeof(long) };

	if (typed) {
		v = copy_value(typed);
		v.errors = v.type == BTF_VALUE_UNSIGNED ? PROBE_NO_ERRORS : PROBE_WORD_ERRORS;
	} else if (t->syscall >= 0) {
		v.type = BTF_VALUE_SIGNED;
		v.errors = PROBE_WORD_ERRORS;
	} else if (!t->kind->user) {
		v.errors = PROBE_INT_ERRORS;
	}
	return v;
}

/* Arguments without a known type are words: as many as there are registers, or four. */
static void find_types(struct target *t, const struct btf *types)
{
	bool tracepoint = t->kind->tracepoint, function = !tracepoint && !t->kind->user;
	struct btf_value takes[PROBE_ARGS], value;
	int n = -ENOENT;

	if (types && t->syscall < 0 && tracepoint)
		n = btf_describe_tracepoint(types, t->name, takes, PROBE_ARGS);
	else if (types && function)
		n = btf_describe_function(types, t->name, takes, PROBE_ARGS, &value);
	if (n > count_arg_registers(t) && function)
		n = count_arg_registers(t);
	t->has_types = n >= 0;
	t->nargs = t->has_types ? (uint8_t)n : t->syscall >= 0 ? PROBE_ARGS : tracepoint ? 0 : 4;
	if (t->kind->user && t->nargs > count_arg_registers(t))
		t->nargs = count_arg_registers(t);
	for (int i = 0; i < PROBE_ARGS; i++)
		t->args[i] = i < n ? copy_value(&takes[i])
				   : (struct target_value){ .type = BTF_VALUE_UNSIGNED,
							    .size = sizeof(long) };
	t->ret = describe_return(t, t->has_types && function ? &value : NULL);
}

int target_set_texts(struct target *t, const uint8_t user_args[PROBE_TEXTS])
{
	int n = 0;

	for (uint8_t i = 0; i < t->nargs && n < PROBE_TEXTS; i++)
		if (t->args[i].type == BTF_VALUE_STRING)
			t->text_args[n++] = (uint8_t)(i + 1);
	if (n)
		return 0;
	for (int i = 0; i < PROBE_TEXTS && user_args[i]; i++) {
		bool extensible = !t->has_types && t->syscall < 0 && !t->kind->tracepoint;

		if (extensible && user_args[i] > t->nargs && user_args[i] <= count_arg_registers(t))
			t->nargs = user_args[i];
		if (user_args[i] > t->nargs)
			return fail_usage("--string %u: %s has no such known argument",
					  user_args[i], t->text);
	}
	memcpy(t->text_args, user_args, sizeof(t->text_args));
	return 0;
}

/* Where tracefs lists categories, a wrong one is an error. */
struct event {
	const char *category, *name;
	bool any, found;
};

static int match_event(const char *name, void *arg)
{
	struct event *e = arg;
	size_t len = strlen(e->category);

	e->any |= strncmp(name, "syscalls:", 9) != 0;
	e->found = !strncmp(name, e->category, len) && name[len] == ':' &&
		   !strcmp(name + len + 1, e->name);
	return e->found;
}

/* Finds the call of syscalls:sys_enter_NAME or syscalls:sys_exit_NAME. Such a target is attached to
 * the raw tracepoint of all system calls. Returns 0 or -ENOENT. Reports errors. */
static int find_syscall(struct target *t)
{
	static const char enter[] = "sys_enter_", leave[] = "sys_exit_";
	const char *prefix;

	t->returns = !strncmp(t->name, leave, sizeof(leave) - 1);
	prefix = t->returns ? leave : enter;
	if (strncmp(t->name, prefix, strlen(prefix)))
		return fail(-ENOENT, "%s: expected sys_enter_NAME or sys_exit_NAME", t->text);
	t->syscall = syscall_find(t->name + strlen(prefix));
	return t->syscall < 0 ? suggest_syscall(t->text, prefix, t->name + strlen(prefix)) : 0;
}

static int find_tracepoint(struct target *t)
{
	struct event e = { .category = t->category, .name = t->name };

	if (!strcmp(t->category, "syscalls"))
		return find_syscall(t);
	scan_tracepoints(match_event, &e);
	return e.any && !e.found ? fail_missing(t) : 0;
}

int target_find(struct target *t, const struct btf *types)
{
	int rc = 0;

	if (t->kind->user)
		rc = file_find_symbol(&t->file,
				      &(struct file_symbol){ .text = t->text,
							     .name = t->name,
							     .offset = t->symbol_offset });
	else if (t->kind->category)
		rc = find_tracepoint(t);
	if (!rc)
		find_types(t, types);
	return rc;
}
