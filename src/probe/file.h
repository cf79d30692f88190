/* SPDX-License-Identifier: MIT */
/* Programs and libraries that uprobes are attached to. */
#ifndef PROBE_FILE_H
#define PROBE_FILE_H

#include "probe/target.h"

/* Turns a file name without a slash into a path: of a program as a shell finds it, or of a
 * library. */
void file_find_path(struct target *t);
/* Finds a uprobe's file and the offset of its symbol. Returns 0 or -errno. Reports errors. */
int file_find_symbol(struct target *t);

enum file_change { FILE_SAME, FILE_GONE, FILE_REPLACED, FILE_CHANGED };
/* Whether a uprobe's file is still the one that was found. */
enum file_change file_changed(const struct target *t);

#endif
