/* SPDX-License-Identifier: MIT */
/* Capture files that scenarios write, in a directory that is removed after the test. */
#ifndef TESTS_NET_FILE_H
#define TESTS_NET_FILE_H

#include "net/capfile/capfile.h"
#include "tests/net/net.h"

/* Returns the path of a name in the test's own directory. The last eight stay valid. */
const char *file_path(const char *name);
uint64_t file_len(const char *path);

typedef void file_visit_fn(const struct frame *f, const struct capfile_iface *i, void *arg);
/* Reads a capture file to its end and calls each (may be NULL) for each packet. Returns the number
 * of packets. The test fails if the file is missing, damaged or truncated. */
uint64_t file_read(const char *path, file_visit_fn *each, void *arg);

#endif
