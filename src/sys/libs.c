/* SPDX-License-Identifier: MIT */
/* Searches the usual directories; does not read the dynamic loader's configuration. */
#define _GNU_SOURCE
#include "sys/libs.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include "base/array.h"

enum { FILE_PATH_MAX = 512 };

static bool walk_folder(const char *folder, bool recurse, libs_each *each, void *arg)
{
	DIR *dir = opendir(folder);
	bool ended = false;
	char path[FILE_PATH_MAX];
	struct dirent *e;

	while (!ended && dir && (e = readdir(dir))) {
		size_t len = (size_t)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);

		if (*e->d_name == '.' || len >= sizeof(path))
			continue;
		if (e->d_type != DT_DIR)
			ended = each(path, path + len - strlen(e->d_name), arg);
		if (!ended && recurse && (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN))
			ended = walk_folder(path, false, each, arg);
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
		if (walk_folder(folders[i], true, each, arg))
			return true;
	return false;
}
