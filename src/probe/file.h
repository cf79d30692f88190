/* SPDX-License-Identifier: MIT */
/* Programs and libraries that uprobes are put into. */
#ifndef PROBE_FILE_H
#define PROBE_FILE_H

#include "probe/target.h"

/* A file's name without a slash is made the path of a program as a shell finds it, or a library's.
 */
void file_find_path(struct target *t);
/* Look up a uprobe's file, and where in it its symbol is. 0 or -errno, said. */
int file_find(struct target *t);

enum file_change { FILE_SAME, FILE_GONE, FILE_REPLACED, FILE_CHANGED };
/* Whether a uprobe's file is still the one that was found. */
enum file_change file_changed(const struct target *t);

#endif
