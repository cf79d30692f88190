/* SPDX-License-Identifier: MIT */
/* Words that libpcap does not know, each with a name behind it. */
#ifndef FILTER_OWN_H
#define FILTER_OWN_H

#include <stdbool.h>
#include "filter/arith.h"
#include "filter/tree.h"

bool own_is_word(const struct token *t);
/* The primitive that such a word begins. It has been taken; before is its place, for a name is no
 * token of the language. 0 with *out, or -EINVAL. */
int own_primitive(struct parser *p, const struct parse_mark *before, uint32_t *out);
/* "set FILE" behind a protocol and a direction. */
int own_set(struct parser *p, const struct parse_mark *before, const struct qual *q, uint32_t *out);

#endif
