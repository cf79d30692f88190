/* SPDX-License-Identifier: MIT */
/* Splits text into pieces. */
#ifndef BASE_SPLIT_H
#define BASE_SPLIT_H

#include <stddef.h>

/* Splits text at each separator, in place, and stores up to max pieces in at. Leaves out the text
 * after them and an empty piece at the end. Returns the number of pieces. */
size_t split_text(char *text, const char *separator, const char **at, size_t max);

#endif
