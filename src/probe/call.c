/* SPDX-License-Identifier: MIT */
/* The table of this architecture is made of the headers of the build (gen/syscalls.h). */
#include "probe/call.h"
#include <asm/unistd.h>
#include <errno.h>
#include <string.h>
#include "base/err.h"

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

const char *call_name(unsigned int i, int *number)
{
	const char *name = call_names;

	if (i >= sizeof(call_numbers) / sizeof(*call_numbers))
		return NULL;
	*number = call_numbers[i];
	while (i--)
		name += strlen(name) + 1;
	return name;
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

int call_find(struct target *t)
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
	for (unsigned int i = 0; (name = call_name(i, &number)); i++) {
		near_try(&near, name);
		if (!strcmp(name, want))
			t->call = number;
	}
	return t->call < 0 ? target_none(t, "there is no such system call",
					 t->returns ? leave : enter, &near)
			   : 0;
}
