/* SPDX-License-Identifier: MIT */
/* A temporary directory for a test that writes files. */
#ifndef TESTS_UNIT_TEMP_DIR_H
#define TESTS_UNIT_TEMP_DIR_H

#include "base/buf.h"

/* Makes the directory and changes to it; for tcase_add_checked_fixture(). */
void temp_dir_enter(void);
/* Removes the directory and its files. */
void temp_dir_leave(void);
/* Number of files in it. */
size_t temp_dir_count(void);
/* Reads a whole file; the caller frees the buffer. */
struct buf temp_dir_read(const char *name);

#endif
