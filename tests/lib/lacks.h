/* SPDX-License-Identifier: MIT */
/* Skip a test where the kernel lacks what it takes. */
#ifndef TESTS_LIB_LACKS_H
#define TESTS_LIB_LACKS_H

/* Where the kernel does not describe its types, nothing is traced. */
void need_types(void);
/* Nor where programs may not copy its memory. */
void need_memory(void);

#endif
