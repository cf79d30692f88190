/* SPDX-License-Identifier: MIT */
/* sonde's extensions to pcap-filter: keywords followed by a name. */
#ifndef FILTER_EXT_H
#define FILTER_EXT_H

#include <stdbool.h>
#include "filter/tree.h"

bool ext_is_keyword(const struct token *t);
/* Parses the primitive of such a keyword. The parser is after it; keyword is a mark at it, from
 * which the name is read as a raw word, since names are not tokens of the language. 0 with *out, or
 * -EINVAL. */
int ext_parse_keyword(struct parser *p, const struct tokens *keyword, uint32_t *out);
/* "set FILE" after the qualifiers q. */
int ext_parse_set(struct parser *p, const struct tokens *keyword, const struct qual *q,
		  uint32_t *out);

#endif
