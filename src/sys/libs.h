/* SPDX-License-Identifier: MIT */
/* Where libraries are on a host. */
#ifndef SYS_LIBS_H
#define SYS_LIBS_H

#include <stdbool.h>

/* Called with a file's path, and its name at the end of that. True ends the walk. */
typedef bool libs_each(const char *path, const char *name, void *arg);

/* All that is in the folders of libraries, and in the folders in these: distributions have one for
 * each architecture. True: each() has ended it. */
bool libs_walk(libs_each *each, void *arg);

#endif
