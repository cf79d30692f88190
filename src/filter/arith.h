/* SPDX-License-Identifier: MIT */
/* Numbers taken from a packet, and their comparison. */
#ifndef FILTER_ARITH_H
#define FILTER_ARITH_H

#include <stdbool.h>
#include "filter/tree.h"

/* A place in the text to come back to, and what the tree was there. */
struct parse_mark {
	struct lexer lexer;
	struct token now;
	size_t n;
	unsigned int needs;
};
struct parse_mark parse_mark(const struct parser *p);
void parse_return(struct parser *p, const struct parse_mark *mark);
void parse_advance(struct parser *p);
bool parse_sign(const struct parser *p, uint64_t sign);

/* Whether a comparison of numbers stands here ("tcp[13] & 2 != 0"); then *rc, 0 with *out or
 * -EINVAL. If not, nothing was taken. */
bool arith_parse_relation(struct parser *p, uint32_t *out, int *rc);

#endif
