/* SPDX-License-Identifier: MIT */
/* Finds the host's shared libraries. */
#ifndef SYS_LIBS_H
#define SYS_LIBS_H

#include <stdbool.h>

/* Called with a file's path and with its name, the last part of the path. Return true to end the
 * walk. */
typedef bool libs_each(const char *path, const char *name, void *arg);

/* Walks the files in the usual library directories and in their subdirectories, as distributions
 * have one per architecture. Returns true if each() ended the walk. */
bool libs_walk(libs_each *each, void *arg);

#endif
