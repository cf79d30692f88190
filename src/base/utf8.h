/* SPDX-License-Identifier: MIT */
/* UTF-8 as it comes from others: decoded with care, measured for a terminal. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_BAD         UINT32_MAX
#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Decode the character at s (n > 0 bytes are there) into *cp and return its bytes. What is not
 * UTF-8 gives UTF8_BAD and the bytes that one U+FFFD stands for (Unicode's "maximal subpart"), at
 * least 1. */
size_t utf8_decode(const char *s, size_t n, uint32_t *cp);

/* Whether a terminal would act on it rather than show it: C0, DEL, C1, line separators and the
 * marks that turn the writing direction. */
bool utf8_is_control(uint32_t cp);

/* Columns on a terminal: 0, 1 or 2. An approximation that needs no locale. */
unsigned int utf8_width(uint32_t cp);

#endif
