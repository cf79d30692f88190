/* SPDX-License-Identifier: MIT */
/* Arithmetic on numbers, a packet's bytes among them, and comparisons of its results. */
#ifndef FILTER_ARITH_H
#define FILTER_ARITH_H

#include <stdbool.h>
#include "filter/tree.h"

/* Parses a comparison of numbers ("tcp[13] & 2 != 0"). Returns true if there is one, with *rc 0 and
 * *out, or -EINVAL; false, with the parser's state as before, if there is none. */
bool arith_parse_relation(struct parser *p, uint32_t *out, int *rc);

#endif
