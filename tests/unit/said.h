/* SPDX-License-Identifier: MIT */
/* What is written to a descriptor for a while. */
#ifndef TESTS_UNIT_SAID_H
#define TESTS_UNIT_SAID_H

extern char said[8192]; /* a string */
void said_begin(int fd);
void said_end(int fd);

#endif
