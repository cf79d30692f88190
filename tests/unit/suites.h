/* SPDX-License-Identifier: MIT */
/* Every suite of unit tests, each in the file of its name. */
#ifndef TESTS_UNIT_SUITES_H
#define TESTS_UNIT_SUITES_H

#include <check.h>

/* Tests that take every byte or many rows take every so many-th where the host is emulated. */
#ifndef UNIT_STRIDE
#define UNIT_STRIDE 1
#endif

/* clang-format off */
/* The longest first: they run side by side. A new suite is a line here and a file. */
#define SUITES(X) \
	X(gen_refuse) X(lines) X(unpack) X(gen) X(base) X(opt) X(out) X(text) X(sys) X(event_loop) \
	X(filter) X(set) X(names) X(resolve) X(capfile) X(dissect) X(capture) X(rules) X(guard) \
	X(elf) X(probe)
/* clang-format on */

#define SUITE_DECLARE(name) Suite *name##_suite(void);
SUITES(SUITE_DECLARE)

#endif
