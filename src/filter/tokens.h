/* SPDX-License-Identifier: MIT */
/* A filter's text as a stream of tokens. */
#ifndef FILTER_TOKENS_H
#define FILTER_TOKENS_H

#include "filter/lex.h"

/* A copy of it is a mark: assigning the copy back returns to that position. */
struct tokens {
	struct lexer lexer; /* positioned after tok */
	struct token tok;   /* the current token */
};

/* Returns a stream at the first token of text. */
struct tokens tokens_of(const char *text);
void tokens_advance(struct tokens *s);
/* Returns the token after the current one. */
struct token tokens_peek(const struct tokens *s);
bool tokens_at_sign(const struct tokens *s, uint64_t sign);
bool tokens_at_word(const struct tokens *s, const char *word);
/* Advances if the current token is this sign or word, and returns whether it was. */
bool tokens_take_sign(struct tokens *s, uint64_t sign);
bool tokens_take_word(struct tokens *s, const char *word);
/* Takes the raw word (lex_raw()) that follows the current token of keyword. */
struct token tokens_take_raw(struct tokens *s, const struct tokens *keyword);

#endif
