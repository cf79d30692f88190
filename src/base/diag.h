/* SPDX-License-Identifier: MIT */
/* What a pure parser says of bad input: it prints nothing, its caller does. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdint.h>

/* Zeroed: nothing is wrong. */
struct diag {
	uint64_t pos;  /* of the byte in the input */
	char msg[160]; /* one line without an end of line, ended by NUL */
};

#endif
