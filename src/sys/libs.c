/* SPDX-License-Identifier: MIT */
/* The usual folders: how a host's own loader is set up is not asked. */
#define _GNU_SOURCE
#include "sys/libs.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include "base/array.h"

enum { PATH_LEN = 512 };

static bool walk(const char *folder, bool enter_nesting, libs_each *each, void *arg)
{
	DIR *dir = opendir(folder);
	bool ended = false;
	char path[PATH_LEN];
	struct dirent *e;

	while (!ended && dir && (e = readdir(dir))) {
		size_t len = (size_t)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);

		if (*e->d_name == '.' || len >= sizeof(path))
			continue;
		if (e->d_type != DT_DIR)
			ended = each(path, path + len - strlen(e->d_name), arg);
		if (!ended && enter_nesting && (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN))
			ended = walk(path, false, each, arg);
	}
	if (dir)
		closedir(dir);
	return ended;
}

bool libs_walk(libs_each *each, void *arg)
{
	static const char *const folders[] = { "/lib", "/lib64", "/usr/lib", "/usr/lib64",
					       "/usr/local/lib" };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (walk(folders[i], true, each, arg))
			return true;
	return false;
}
