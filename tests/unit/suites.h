/* SPDX-License-Identifier: MIT */
/* Every suite of unit tests, each in the file of its name. */
#ifndef TESTS_UNIT_SUITES_H
#define TESTS_UNIT_SUITES_H

#include <check.h>

/* Tests that take every byte or many rows take every so many-th where the host is emulated. */
#ifndef UNIT_STRIDE
#define UNIT_STRIDE 1
#endif

Suite *base_suite(void);
Suite *opt_suite(void);
Suite *out_suite(void);
Suite *text_suite(void);
Suite *sys_suite(void);
Suite *filter_suite(void);
Suite *set_suite(void);
Suite *lines_suite(void);
Suite *names_suite(void);
Suite *host_suite(void);
Suite *capfile_suite(void);
Suite *gen_suite(void);
Suite *gen_refuse_suite(void);
Suite *dissect_suite(void);
Suite *capture_suite(void);
Suite *capture_file_suite(void);
Suite *capture_output_suite(void);
Suite *unpack_suite(void);
Suite *rules_suite(void);
Suite *guard_suite(void);
Suite *elf_suite(void);
Suite *probe_suite(void);
Suite *trace_suite(void);
Suite *incident_suite(void);

#endif
