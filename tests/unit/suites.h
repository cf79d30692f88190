/* SPDX-License-Identifier: MIT */
/* All suites of unit tests. Each has a file of its name. */
#ifndef TESTS_UNIT_SUITES_H
#define TESTS_UNIT_SUITES_H

#include <check.h>

/* Tests of every byte or of many rows skip to every UNIT_STRIDE-th on an emulated host. */
#ifndef UNIT_STRIDE
#define UNIT_STRIDE 1
#endif

/* clang-format off */
/* Longest first, since suites run in parallel. A new suite needs a line here and a file. */
#define SUITES(X) \
	X(gen_refuse) X(lines) X(unpack) X(gen) X(base) X(opt) X(out) X(text) X(sys) X(event_loop) \
	X(filter) X(set) X(names) X(resolve) X(capfile) X(dissect) X(capture) X(capture_file) \
	X(capture_output) X(rules) X(guard) \
	X(elf) X(probe) X(trace) X(incident)
/* clang-format on */

#define SUITE_DECLARE(name) Suite *name##_suite(void);
SUITES(SUITE_DECLARE)

#endif
