/* SPDX-License-Identifier: MIT */
/* UTF-8 from untrusted input: decoding and width on a terminal. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_BAD         UINT32_MAX
#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Decodes the character at s (n > 0 bytes) into *cp and returns its length in bytes. For invalid
 * UTF-8, *cp is UTF8_BAD and the length is the part that one U+FFFD replaces ("maximal subpart",
 * Unicode 3.9), at least 1. */
size_t utf8_decode(const char *s, size_t n, uint32_t *cp);

/* Returns true for characters that a terminal acts on instead of showing: C0, DEL, C1, line
 * separators and marks of writing direction. */
bool utf8_is_control(uint32_t cp);

/* Returns the number of columns on a terminal: 0, 1 or 2. An approximation that needs no locale. */
unsigned int utf8_width(uint32_t cp);

#endif
