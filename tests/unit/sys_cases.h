/* SPDX-License-Identifier: MIT */
/* Test cases of the sys suite that have their own files. */
#ifndef TESTS_UNIT_SYS_CASES_H
#define TESTS_UNIT_SYS_CASES_H

#include <check.h>

TCase *netlink_cases(void);
TCase *btf_cases(void);
TCase *ring_cases(void);
TCase *iface_cases(void);

#endif
