/* SPDX-License-Identifier: MIT */
/* Captures what is written to a descriptor. */
#ifndef TESTS_UNIT_CAPTURE_STDERR_H
#define TESTS_UNIT_CAPTURE_STDERR_H

extern char captured[8192]; /* the text captured last, terminated */
void capture_stderr_begin(int fd);
void capture_stderr_end(int fd);

#endif
