/* SPDX-License-Identifier: MIT */
/* What is written to a descriptor for a while. */
#ifndef TESTS_UNIT_CAPTURE_STDERR_H
#define TESTS_UNIT_CAPTURE_STDERR_H

extern char said[8192]; /* a string */
void capture_stderr_begin(int fd);
void capture_stderr_end(int fd);

#endif
