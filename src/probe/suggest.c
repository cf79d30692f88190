/* SPDX-License-Identifier: MIT */
/* Compares a missing name with every name of its kind, which is slow, but happens on errors only.
 */
#include "probe/suggest.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/err.h"
#include "base/near.h"
#include "probe/scan.h"
#include "probe/syscall.h"

static int try_name(const char *name, void *arg)
{
	near_try(arg, name);
	return 0;
}

static int try_symbol(const struct elf_symbol *symbol, void *arg)
{
	return try_name(symbol->name, arg);
}

static int fail_missing(const char *text, const char *what, const char *prefix,
			const struct near *near)
{
	if (*near->name)
		return fail(-ENOENT, "%s: %s; did you mean %s%s?", text, what, prefix, near->name);
	return fail(-ENOENT, "%s: %s (sonde probe list PATTERN)", text, what);
}

int suggest_function(const char *text, const char *name)
{
	struct near near;

	near_begin(&near, name);
	scan_functions(try_name, &near);
	if (!strcmp(near.name, name))
		return fail(-ENOENT,
			    "%s: cannot be probed: the kernel needs it to handle probes, or "
			    "allows none at its start",
			    text);
	return fail_missing(text, "no such function in this kernel (it may be inlined)", "", &near);
}

static int fail_tracepoint(const char *text, const struct near *near)
{
	return fail_missing(text, "no such tracepoint in this kernel", "", near);
}

int suggest_tracepoint(const char *text, const char *category, const char *name)
{
	char full[SCAN_NAME + 64];
	struct near near;

	snprintf(full, sizeof(full), "%s:%s", category, name);
	near_begin(&near, full);
	scan_tracepoints(try_name, &near);
	return fail_tracepoint(text, &near);
}

int suggest_raw(const char *text, const char *name)
{
	struct btf types = { 0 };
	struct near near;

	near_begin(&near, name);
	if (!btf_open_kernel(&types))
		scan_raw(&types, try_name, &near);
	btf_close(&types);
	return fail_tracepoint(text, &near);
}

int suggest_syscall(const char *text, const char *prefix, const char *name)
{
	struct near near;
	const char *known;
	int number;

	near_begin(&near, name);
	for (unsigned int i = 0; (known = syscall_name(i, &number)); i++)
		near_try(&near, known);
	return fail_missing(text, "no such system call", prefix, &near);
}

int suggest_symbol(const char *text, const struct elf *e, const char *name)
{
	struct near near;

	near_begin(&near, name);
	elf_walk_functions(e, try_symbol, &near);
	return fail_missing(text, "no such function in the file", "", &near);
}
