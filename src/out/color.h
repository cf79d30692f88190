/* SPDX-License-Identifier: MIT */
/* Colours on a terminal, unless the user has disabled them. */
#ifndef OUT_COLOR_H
#define OUT_COLOR_H

#include <stdbool.h>
#include "base/buf.h"

enum color { COLOR_HEADING, COLOR_BAD };

/* Disables colours (--no-color). */
void color_disable(void);
/* Returns true if output to fd has colours: fd is a terminal that is not "dumb", and neither
 * --no-color nor a non-empty NO_COLOR in the environment (https://no-color.org) was given. */
bool color_enabled(int fd);
/* Append the escape sequences that start and end a colour (ECMA-48, SGR). */
void color_start(struct buf *b, enum color color);
void color_end(struct buf *b);

#endif
