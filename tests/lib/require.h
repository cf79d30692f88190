/* SPDX-License-Identifier: MIT */
/* Skips a test if the kernel lacks a feature. */
#ifndef TESTS_LIB_REQUIRE_H
#define TESTS_LIB_REQUIRE_H

/* Kernel types (BTF), needed for tracing. */
void require_types(void);
/* Types, and programs that may read kernel memory. */
void require_memory(void);

#endif
