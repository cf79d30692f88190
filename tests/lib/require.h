/* SPDX-License-Identifier: MIT */
/* Skip a test where the kernel lacks what it takes. */
#ifndef TESTS_LIB_REQUIRE_H
#define TESTS_LIB_REQUIRE_H

/* Where the kernel does not describe its types, nothing is traced. */
void require_types(void);
/* Nor where programs may not copy its memory. */
void require_memory(void);

#endif
