/* SPDX-License-Identifier: MIT */
/* Colours on a terminal, unless the user does not want them. */
#ifndef OUT_COLOR_H
#define OUT_COLOR_H

#include <stdbool.h>
#include "base/buf.h"

enum color { COLOR_HEADING, COLOR_BAD };

/* No colours from now on (--no-color). */
void color_disable(void);
/* Whether output to fd has colours: a terminal that is not "dumb", and neither --no-color nor a
 * non-empty NO_COLOR in the environment (https://no-color.org). */
bool color_enabled(int fd);
/* Append the escape sequences that start a colour and end it (ECMA-48, SGR). */
void color_start(struct buf *b, enum color color);
void color_end(struct buf *b);

#endif
