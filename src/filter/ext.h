/* SPDX-License-Identifier: MIT */
/* Words that libpcap does not know, each with a name behind it. */
#ifndef FILTER_EXT_H
#define FILTER_EXT_H

#include <stdbool.h>
#include "filter/tree.h"

bool ext_is_keyword(const struct token *t);
/* The primitive that such a word begins. It has been taken; before is its place, for a name is no
 * token of the language. 0 with *out, or -EINVAL. */
int ext_parse_keyword(struct parser *p, const struct tokens *before, uint32_t *out);
/* "set FILE" behind a protocol and a direction. */
int ext_parse_set(struct parser *p, const struct tokens *before, const struct qual *q,
		  uint32_t *out);

#endif
