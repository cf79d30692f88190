/* SPDX-License-Identifier: MIT */
/* An error message from a parser that does not print: the caller reports it. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdint.h>

/* Zeroed: no error. */
struct diag {
	uint64_t pos;  /* byte offset in the input */
	char msg[160]; /* one line without a newline, NUL-terminated */
};

#endif
