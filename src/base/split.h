/* SPDX-License-Identifier: MIT */
/* Text cut into pieces. */
#ifndef BASE_SPLIT_H
#define BASE_SPLIT_H

#include <stddef.h>

/* Cuts text at each separator, in place, and stores up to max pieces in at. Further text is left
 * out; so is an empty piece at the end. Returns the number of pieces. */
size_t split_text(char *text, const char *separator, const char **at, size_t max);

#endif
