/* SPDX-License-Identifier: MIT */
/* The table of this architecture's calls comes from the build's headers (gen/syscalls.h). */
#include "base/array.h"
#include "probe/syscall.h"
#include <asm/unistd.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#define SYSCALL(name) #name "\0"
static const char syscall_names[] =
#include "gen/syscalls.h"
	;
#undef SYSCALL
#define SYSCALL(name) (uint16_t) __NR_##name,
static const uint16_t syscall_numbers[] = {
#include "gen/syscalls.h"
};
#undef SYSCALL

const char *syscall_name(unsigned int i, int *number)
{
	const char *name = syscall_names;

	if (i >= ARRAY_LEN(syscall_numbers))
		return NULL;
	*number = syscall_numbers[i];
	while (i--)
		name += strlen(name) + 1;
	return name;
}

/* The kernel names tracepoints after its functions, some of which have older names than the
 * calls. */
static const char *syscall_for(const char *name)
{
	static const char *const pairs[][2] = {
		{ "newstat", "stat" },   { "newlstat", "lstat" },      { "newfstat", "fstat" },
		{ "newuname", "uname" }, { "sendfile64", "sendfile" }, { "umount", "umount2" },
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (!strcmp(name, pairs[i][0]))
			return pairs[i][1];
	return name;
}

int syscall_find(const char *tracepoint)
{
	const char *call = syscall_for(tracepoint), *name;
	int number;

	for (unsigned int i = 0; (name = syscall_name(i, &number)); i++)
		if (!strcmp(name, call))
			return number;
	return -ENOENT;
}
