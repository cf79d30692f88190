/* SPDX-License-Identifier: MIT */
/* A kernel without a function, or a file without a symbol, is asked for the nearest name. */
#define _GNU_SOURCE
#include "probe/target.h"
#include <asm/unistd.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/err.h"
#include "base/opt.h"
#include "probe/scan.h"
#include "sys/elf.h"
#include "sys/priv.h"

enum { KERNEL_ENOTSUPP = 524 }; /* linux/errno.h of the kernel itself */

const char *const target_kinds[TARGET_KINDS + 1] = { "kprobe",    "kretprobe",  "uprobe",
						     "uretprobe", "tracepoint", "raw" };

#define SYSCALL(name) #name "\0"
static const char call_names[] =
#include "gen/syscalls.h"
	;
#undef SYSCALL
#define SYSCALL(name) (uint16_t) __NR_##name,
static const uint16_t call_numbers[] = {
#include "gen/syscalls.h"
};
#undef SYSCALL

const char *target_call(unsigned int i, int *number)
{
	const char *name = call_names;

	if (i >= sizeof(call_numbers) / sizeof(*call_numbers))
		return NULL;
	*number = call_numbers[i];
	while (i--)
		name += strlen(name) + 1;
	return name;
}

int target_kind_of(const char *word)
{
	for (int i = 0; i < TARGET_KINDS; i++) {
		size_t len = strlen(target_kinds[i]);

		if (!strncmp(word, target_kinds[i], len) && word[len] == ':')
			return i;
	}
	return -1;
}

static bool is_user(const struct target *t)
{
	return t->kind == TARGET_UPROBE || t->kind == TARGET_URETPROBE;
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
	if (is_user(t))
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

/* Say that there is no such thing, and what was perhaps meant. prefix: in front of its name. */
static int none_of(const struct target *t, const char *what, const char *prefix,
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
	return none_of(t, "this kernel has no such function (or it is part of its callers)", "",
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
	return none_of(t, "this kernel has no such tracepoint", "", &near);
}

int target_refused(const struct target *t, int rc)
{
	if (rc == -ENOENT && !is_user(t))
		return t->kind >= TARGET_TRACEPOINT ? no_tracepoint(t) : no_function(t);
	if (rc == -ENODEV)
		return fail(rc,
			    "%s: this kernel has no %s; tracepoints may tell the same (sonde "
			    "probe list PATTERN)",
			    t->text, is_user(t) ? "uprobes" : "kprobes");
	if ((rc == -EPERM || rc == -EACCES) && priv_lockdown() == LOCKDOWN_CONFIDENTIALITY)
		return fail(rc,
			    "%s: lockdown (confidentiality) keeps this kernel from being "
			    "probed there; tracepoints can be counted",
			    t->text);
	if (rc == -EADDRNOTAVAIL)
		return fail(rc, "%s: several functions of this kernel have that name", t->text);
	if (rc == -EINVAL && !is_user(t))
		return fail(rc,
			    "%s: the kernel lets no probe stand there (nor, if it has no "
			    "kprobes on ftrace, at the begin of any function)",
			    t->text);
	if (rc == -EINVAL || rc == -EOPNOTSUPP || rc == -KERNEL_ENOTSUPP)
		return fail(rc, "%s: the kernel does not let it be probed there (%s)", t->text,
			    rc == -EINVAL ? err_words(rc) : "this instruction");
	return fail_errno(rc, "%s", t->text);
}

static bool is_file(const char *path)
{
	struct elf e = { 0 };
	struct stat st;

	/* Of several of that name in several folders the one that is for this machine. */
	if (stat(path, &st) || !S_ISREG(st.st_mode) || elf_open(&e, path))
		return false;
	elf_close(&e);
	return true;
}

/* folder/NAME as t->path, if that is a file. */
static bool try_folder(struct target *t, const char *folder, size_t len, const char *name)
{
	char path[TARGET_NAME];

	if ((size_t)snprintf(path, sizeof(path), "%.*s/%s", (int)len, folder, name) >=
		    sizeof(path) ||
	    !is_file(path))
		return false;
	memcpy(t->path, path, sizeof(path));
	return true;
}

/* In a folder, or in one of those in it: distributions have one for each architecture. */
static bool try_libraries(struct target *t, const char *folder, const char *name)
{
	bool found = try_folder(t, folder, strlen(folder), name);
	DIR *dir = found ? NULL : opendir(folder);
	char below[TARGET_NAME];
	struct dirent *e;

	while (!found && dir && (e = readdir(dir)))
		if (*e->d_name != '.' && (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN) &&
		    (size_t)snprintf(below, sizeof(below), "%s/%s", folder, e->d_name) <
			    sizeof(below))
			found = try_folder(t, below, strlen(below), name);
	if (dir)
		closedir(dir);
	return found;
}

void target_find_path(struct target *t)
{
	static const char *const folders[] = { "/lib", "/lib64", "/usr/lib", "/usr/lib64",
					       "/usr/local/lib" };
	const char *dirs = getenv("PATH");
	char name[TARGET_NAME];

	if (strchr(t->path, '/'))
		return;
	t->searched = true;
	memcpy(name, t->path, sizeof(name));
	for (dirs = dirs ? dirs : "/usr/bin:/bin"; *dirs; dirs += strspn(dirs, ":")) {
		size_t len = strcspn(dirs, ":");

		if (try_folder(t, dirs, len, name))
			return;
		dirs += len;
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (try_libraries(t, folders[i], name))
			return;
}

struct hunt {
	const char *name;
	struct near near;
	uint64_t value, size, other; /* other: of another function of that name */
	uint32_t functions;
	bool chooses;
};

static int look(const struct elf_symbol *symbol, void *arg)
{
	struct hunt *h = arg;

	h->functions++;
	if (strcmp(symbol->name, h->name)) {
		near_try(&h->near, symbol->name);
		return 0;
	}
	if (h->value && h->value != symbol->value)
		h->other = symbol->value;
	h->value = symbol->value;
	h->size = symbol->size;
	h->chooses = symbol->chooses;
	return 0;
}

static int find_symbol(struct target *t, const struct elf *e)
{
	struct hunt h = { .name = t->name };
	char *end;

	if (!strncmp(t->name, "0x", 2)) {
		h.value = strtoull(t->name, &end, 16);
		if (*end)
			return fail(-EINVAL, "%s: %s is no address", t->text, t->name);
	} else {
		near_begin(&h.near, t->name);
		elf_functions(e, look, &h);
		if (!h.functions)
			return fail(-ENOENT,
				    "%s: %s names no functions: it is stripped; an address in it "
				    "can be given (0x...)",
				    t->text, t->path);
		if (!h.value)
			return none_of(t, "the file defines no such function", "", &h.near);
		if (h.other)
			return fail(-ENOTUNIQ,
				    "%s: several functions of the file have that name: give an "
				    "address (%s:%s:0x%llx, 0x%llx, ...)",
				    t->text, target_kinds[t->kind], t->path,
				    (unsigned long long)h.value, (unsigned long long)h.other);
		if (h.chooses)
			note("%s is what chooses a function when the program starts: it is that "
			     "choice which is probed",
			     t->text);
		if (t->plus && t->plus >= h.size)
			return fail(-EINVAL, "%s: %s has %llu bytes", t->text, t->name,
				    (unsigned long long)h.size);
	}
	if (t->plus || *t->name == '0')
		note("%s: that has to be where an instruction begins; elsewhere it breaks the "
		     "program",
		     t->text);
	if (elf_offset(e, h.value + t->plus, &t->offset))
		return fail(-ENOENT, "%s: there is no code in the file", t->text);
	return 0;
}

static int find_user(struct target *t)
{
	struct elf e = { 0 };
	struct stat st;
	int rc;

	target_find_path(t);
	rc = elf_open(&e, t->path);
	if (rc == -ENOEXEC)
		return fail(rc, "%s: %s is no program or library of this machine", t->text,
			    t->path);
	if (rc)
		return fail_errno(rc, "%s: %s", t->text, t->path);
	if (!stat(t->path, &st)) {
		t->dev = st.st_dev;
		t->ino = st.st_ino;
		t->changed = st.st_mtim;
	}
	t->wide = e.wide;
	rc = find_symbol(t, &e);
	elf_close(&e);
	return rc;
}

enum target_change target_changed(const struct target *t)
{
	struct stat st;

	if (!is_user(t))
		return TARGET_SAME;
	if (stat(t->path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? TARGET_GONE : TARGET_SAME;
	if (st.st_dev != t->dev || st.st_ino != t->ino)
		return TARGET_REPLACED;
	return st.st_mtim.tv_sec != t->changed.tv_sec || st.st_mtim.tv_nsec != t->changed.tv_nsec
		       ? TARGET_CHANGED
		       : TARGET_SAME;
}

/* The kernel's tracepoints have the names of its functions, which are older than some calls'. */
static const char *call_of(const char *name)
{
	static const char *const pairs[][2] = {
		{ "newstat", "stat" },   { "newlstat", "lstat" },      { "newfstat", "fstat" },
		{ "newuname", "uname" }, { "sendfile64", "sendfile" }, { "umount", "umount2" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (!strcmp(name, pairs[i][0]))
			return pairs[i][1];
	return name;
}

/* "syscalls:sys_enter_NAME": what such a tracepoint hears is all system calls'. */
static int find_call(struct target *t)
{
	static const char enter[] = "sys_enter_", leave[] = "sys_exit_";
	const char *want = t->name, *name;
	struct near near;
	int number;

	if (strcmp(t->category, "syscalls"))
		return 0;
	t->returns = !strncmp(t->name, leave, sizeof(leave) - 1);
	if (!t->returns && strncmp(t->name, enter, sizeof(enter) - 1))
		return fail(-ENOENT, "%s: it is sys_enter_NAME or sys_exit_NAME", t->text);
	want += t->returns ? sizeof(leave) - 1 : sizeof(enter) - 1;
	near_begin(&near, want);
	want = call_of(want);
	for (unsigned int i = 0; (name = target_call(i, &number)); i++) {
		near_try(&near, name);
		if (!strcmp(name, want))
			t->call = number;
	}
	return t->call < 0 ? none_of(t, "there is no such system call", t->returns ? leave : enter,
				     &near)
			   : 0;
}

static struct target_value keep(const struct btf_value *v)
{
	struct target_value kept = { .is = v->is, .size = v->size };

	snprintf(kept.name, sizeof(kept.name), "%s", v->name);
	return kept;
}

/* How many arguments of a function are in registers, at least. */
static uint8_t registers_of(const struct target *t)
{
#if defined(__x86_64__)
	return !is_user(t) || t->wide ? 6 : 0; /* those of i386 are on the stack */
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
	struct target_value v = { .is = BTF_IS_WORD, .size = sizeof(long) };

	if (typed) {
		v = keep(typed);
		v.errors = v.is == BTF_IS_WORD ? PROBE_NO_ERRORS : PROBE_WORDS;
	} else if (t->call >= 0) {
		v.is = BTF_IS_SIGNED;
		v.errors = PROBE_WORDS;
	} else if (!is_user(t)) {
		v.errors = PROBE_GUESSED;
	}
	return v;
}

/* What is not described are words, as many as there are registers for them, or few. */
static void find_types(struct target *t, const struct btf *types)
{
	bool point = t->kind >= TARGET_TRACEPOINT, function = !point && !is_user(t);
	struct btf_value takes[PROBE_ARGS], value;
	int n = -ENOENT;

	if (types && t->call < 0 && point)
		n = btf_tracepoint(types, t->name, takes, PROBE_ARGS);
	else if (types && function)
		n = btf_function(types, t->name, takes, PROBE_ARGS, &value);
	if (n > registers_of(t) && function)
		n = registers_of(t);
	t->typed = n >= 0;
	t->ntakes = t->typed ? (uint8_t)n : t->call >= 0 ? PROBE_ARGS : point ? 0 : 4;
	if (is_user(t) && t->ntakes > registers_of(t))
		t->ntakes = registers_of(t);
	for (int i = 0; i < PROBE_ARGS; i++)
		t->takes[i] =
			i < n ? keep(&takes[i])
			      : (struct target_value){ .is = BTF_IS_WORD, .size = sizeof(long) };
	t->value = value_of(t, t->typed && function ? &value : NULL);
}

int target_texts(struct target *t, const uint8_t wish[PROBE_TEXTS])
{
	int n = 0;

	for (uint8_t i = 0; i < t->ntakes && n < PROBE_TEXTS; i++)
		if (t->takes[i].is == BTF_IS_STRING)
			t->strings[n++] = (uint8_t)(i + 1);
	for (int i = 0; i < PROBE_TEXTS && wish[i] && !*t->strings; i++) {
		bool more = !t->typed && t->call < 0 && t->kind < TARGET_TRACEPOINT;

		if (more && wish[i] > t->ntakes && wish[i] <= registers_of(t))
			t->ntakes = wish[i];
		if (wish[i] > t->ntakes)
			return fail_usage("-s %u: of %s so many arguments are not known", wish[i],
					  t->text);
	}
	if (!n)
		memcpy(t->strings, wish, sizeof(t->strings));
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
	int rc = is_user(t) ? find_user(t) : t->kind == TARGET_TRACEPOINT ? find_call(t) : 0;

	if (!rc && t->kind == TARGET_TRACEPOINT && t->call < 0) {
		scan_tracepoints(match, &e);
		if (e.any && !e.found)
			return no_tracepoint(t);
	}
	if (!rc)
		find_types(t, types);
	return rc;
}
