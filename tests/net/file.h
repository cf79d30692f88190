/* SPDX-License-Identifier: MIT */
/* Capture files that scenarios write, in a directory that vanishes with them. */
#ifndef TESTS_NET_FILE_H
#define TESTS_NET_FILE_H

#include "net/capfile/capfile.h"
#include "tests/net/net.h"

/* The path of a name in the test's own directory; eight of them stay valid. */
const char *file_path(const char *name);
uint64_t file_len(const char *path);

typedef void file_each(const struct frame *f, const struct capfile_iface *i, void *arg);
/* Read a capture file to its end, calling each (NULL: nobody); its packets. The test fails if it is
 * damaged, or cut short, or not there. */
uint64_t file_read(const char *path, file_each *each, void *arg);

#endif
