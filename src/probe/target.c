/* SPDX-License-Identifier: MIT */
/* A kernel without a function or tracepoint is asked for the nearest name. */
#include "probe/target.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "probe/call.h"
#include "probe/file.h"
#include "probe/scan.h"
#include "sys/priv.h"

enum { KERNEL_ENOTSUPP = 524 }; /* linux/errno.h of the kernel itself */

const char *const target_kinds[TARGET_KINDS + 1] = { "kprobe",    "kretprobe",  "uprobe",
						     "uretprobe", "tracepoint", "raw" };

int target_kind_of(const char *word)
{
	for (int i = 0; i < TARGET_KINDS; i++) {
		size_t len = strlen(target_kinds[i]);

		if (!strncmp(word, target_kinds[i], len) && word[len] == ':')
			return i;
	}
	return -1;
}

static int take(char *to, size_t room, const char *from, size_t len, const char *word)
{
	if (!len)
		return fail_usage("%s: a name is missing", word);
	if (len >= room)
		return fail_usage("%s: a name is too long", word);
	memcpy(to, from, len);
	to[len] = '\0';
	return 0;
}

/* PATH:SYMBOL, PATH:SYMBOL+OFFSET, PATH:0xADDRESS. A path may have colons, a symbol has none. */
static int parse_user(struct target *t, const char *rest)
{
	const char *colon = strrchr(rest, ':'), *symbol = colon ? colon + 1 : rest, *plus;
	int rc;
	char *end;

	if (!colon)
		return fail_usage("%s: it is %s:PATH:SYMBOL", t->text, target_kinds[t->kind]);
	rc = take(t->path, sizeof(t->path), rest, (size_t)(colon - rest), t->text);
	plus = strrchr(symbol, '+');
	if (!rc)
		rc = take(t->name, sizeof(t->name), symbol,
			  plus ? (size_t)(plus - symbol) : strlen(symbol), t->text);
	if (rc || !plus)
		return rc;
	errno = 0;
	t->plus = strtoull(plus + 1, &end, 0);
	if (end == plus + 1 || *end || errno || plus[1] == '-')
		return fail_usage("%s: %s is no offset", t->text, plus + 1);
	if (t->returns && t->plus)
		return fail_usage("%s: a return has no offset", t->text);
	return 0;
}

static int parse_tracepoint(struct target *t, const char *rest)
{
	const char *colon = strchr(rest, ':');
	int rc = colon ? take(t->category, sizeof(t->category), rest, (size_t)(colon - rest),
			      t->text)
		       : fail_usage("%s: it is tracepoint:CATEGORY:NAME; without a category: "
				    "raw:NAME",
				    t->text);

	return rc ? rc : take(t->name, sizeof(t->name), colon + 1, strlen(colon + 1), t->text);
}

int target_parse(struct target *t, const char *word)
{
	int kind = target_kind_of(word);
	const char *rest = strchr(word, ':') + 1;

	*t = (struct target){ .text = word, .kind = (enum target_kind)kind, .call = -1 };
	t->returns = kind == TARGET_KRETPROBE || kind == TARGET_URETPROBE;
	if (target_is_user(t))
		return parse_user(t, rest);
	if (kind == TARGET_TRACEPOINT)
		return parse_tracepoint(t, rest);
	return take(t->name, sizeof(t->name), rest, strlen(rest), word);
}

static int try_near(const char *name, void *arg)
{
	near_try(arg, name);
	return 0;
}

int target_none(const struct target *t, const char *what, const char *prefix,
		const struct near *near)
{
	if (*near->name)
		return fail(-ENOENT, "%s: %s; did you mean %s%s?", t->text, what, prefix,
			    near->name);
	return fail(-ENOENT, "%s: %s (sonde probe list PATTERN)", t->text, what);
}

static int no_function(const struct target *t)
{
	struct near near;

	near_begin(&near, t->name);
	scan_functions(try_near, &near);
	if (!strcmp(near.name, t->name))
		return fail(-ENOENT,
			    "%s: this function may not be probed: the kernel needs it to "
			    "handle probes, or it has none at its begin",
			    t->text);
	return target_none(t, "this kernel has no such function (or it is part of its callers)", "",
			   &near);
}

static int no_tracepoint(const struct target *t)
{
	struct btf types = { 0 };
	char whole[TARGET_NAME + 64];
	struct near near;

	snprintf(whole, sizeof(whole), "%s:%s", t->category, t->name);
	near_begin(&near, t->kind == TARGET_RAW ? t->name : whole);
	if (t->kind == TARGET_TRACEPOINT) {
		scan_tracepoints(try_near, &near);
	} else if (!btf_open_kernel(&types)) {
		scan_raw(&types, try_near, &near);
		btf_close(&types);
	}
	return target_none(t, "this kernel has no such tracepoint", "", &near);
}

int target_refused(const struct target *t, int rc)
{
	if (rc == -ENOENT && !target_is_user(t))
		return t->kind >= TARGET_TRACEPOINT ? no_tracepoint(t) : no_function(t);
	if (rc == -ENODEV)
		return fail(rc,
			    "%s: this kernel has no %s; tracepoints may tell the same (sonde "
			    "probe list PATTERN)",
			    t->text, target_is_user(t) ? "uprobes" : "kprobes");
	if ((rc == -EPERM || rc == -EACCES) && priv_lockdown() == LOCKDOWN_CONFIDENTIALITY)
		return fail(rc,
			    "%s: lockdown (confidentiality) keeps this kernel from being "
			    "probed there; tracepoints can be counted",
			    t->text);
	if (rc == -EADDRNOTAVAIL)
		return fail(rc, "%s: several functions of this kernel have that name", t->text);
	if (rc == -EINVAL && !target_is_user(t))
		return fail(rc,
			    "%s: the kernel lets no probe stand there (nor, if it has no "
			    "kprobes on ftrace, at the begin of any function)",
			    t->text);
	if (rc == -EINVAL || rc == -EOPNOTSUPP || rc == -KERNEL_ENOTSUPP)
		return fail(rc, "%s: the kernel does not let it be probed there (%s)", t->text,
			    rc == -EINVAL ? err_message(rc) : "this instruction");
	return fail_errno(rc, "%s", t->text);
}

static struct target_value keep(const struct btf_value *v)
{
	struct target_value kept = { .kind = v->kind, .size = v->size };

	snprintf(kept.name, sizeof(kept.name), "%s", v->name);
	return kept;
}

/* How many arguments of a function are in registers, at least. */
static uint8_t registers_of(const struct target *t)
{
#if defined(__x86_64__)
	return !target_is_user(t) || t->wide ? 6 : 0; /* those of i386 are on the stack */
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

static struct target_value value_of(const struct target *t, const struct btf_value *typed)
{
	struct target_value v = { .kind = BTF_VALUE_UNSIGNED, .size = sizeof(long) };

	if (typed) {
		v = keep(typed);
		v.errors = v.kind == BTF_VALUE_UNSIGNED ? PROBE_NO_ERRORS : PROBE_WORDS;
	} else if (t->call >= 0) {
		v.kind = BTF_VALUE_SIGNED;
		v.errors = PROBE_WORDS;
	} else if (!target_is_user(t)) {
		v.errors = PROBE_GUESSED;
	}
	return v;
}

/* What is not described are words, as many as there are registers for them, or few. */
static void find_types(struct target *t, const struct btf *types)
{
	bool point = t->kind >= TARGET_TRACEPOINT, function = !point && !target_is_user(t);
	struct btf_value takes[PROBE_ARGS], value;
	int n = -ENOENT;

	if (types && t->call < 0 && point)
		n = btf_describe_tracepoint(types, t->name, takes, PROBE_ARGS);
	else if (types && function)
		n = btf_describe_function(types, t->name, takes, PROBE_ARGS, &value);
	if (n > registers_of(t) && function)
		n = registers_of(t);
	t->typed = n >= 0;
	t->ntakes = t->typed ? (uint8_t)n : t->call >= 0 ? PROBE_ARGS : point ? 0 : 4;
	if (target_is_user(t) && t->ntakes > registers_of(t))
		t->ntakes = registers_of(t);
	for (int i = 0; i < PROBE_ARGS; i++)
		t->takes[i] = i < n ? keep(&takes[i])
				    : (struct target_value){ .kind = BTF_VALUE_UNSIGNED,
							     .size = sizeof(long) };
	t->value = value_of(t, t->typed && function ? &value : NULL);
}

int target_texts(struct target *t, const uint8_t wanted[PROBE_TEXTS])
{
	int n = 0;

	for (uint8_t i = 0; i < t->ntakes && n < PROBE_TEXTS; i++)
		if (t->takes[i].kind == BTF_VALUE_STRING)
			t->strings[n++] = (uint8_t)(i + 1);
	if (n)
		return 0;
	for (int i = 0; i < PROBE_TEXTS && wanted[i]; i++) {
		bool more = !t->typed && t->call < 0 && t->kind < TARGET_TRACEPOINT;

		if (more && wanted[i] > t->ntakes && wanted[i] <= registers_of(t))
			t->ntakes = wanted[i];
		if (wanted[i] > t->ntakes)
			return fail_usage("-s %u: of %s so many arguments are not known", wanted[i],
					  t->text);
	}
	memcpy(t->strings, wanted, sizeof(t->strings));
	return 0;
}

/* Where the kernel tells its events' categories, a wrong one is not passed over. */
struct event {
	const char *category, *name;
	bool any, found;
};

static int match(const char *name, void *arg)
{
	struct event *e = arg;
	size_t len = strlen(e->category);

	e->any |= strncmp(name, "syscalls:", 9) != 0;
	e->found = !strncmp(name, e->category, len) && name[len] == ':' &&
		   !strcmp(name + len + 1, e->name);
	return e->found;
}

int target_find(struct target *t, const struct btf *types)
{
	struct event e = { .category = t->category, .name = t->name };
	int rc = target_is_user(t) ? file_find(t) : t->kind == TARGET_TRACEPOINT ? call_find(t) : 0;

	if (!rc && t->kind == TARGET_TRACEPOINT && t->call < 0) {
		scan_tracepoints(match, &e);
		if (e.any && !e.found)
			return no_tracepoint(t);
	}
	if (!rc)
		find_types(t, types);
	return rc;
}
