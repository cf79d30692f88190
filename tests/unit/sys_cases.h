/* SPDX-License-Identifier: MIT */
/* The parts of the sys suite that have files of their own. */
#ifndef TESTS_UNIT_SYS_CASES_H
#define TESTS_UNIT_SYS_CASES_H

#include <check.h>

TCase *netlink_cases(void);
TCase *btf_cases(void);
TCase *ring_cases(void);
TCase *iface_cases(void);

#endif
