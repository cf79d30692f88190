/* SPDX-License-Identifier: MIT */
/* The current token, and the ways to move on. */
#include "filter/tokens.h"

struct tokens tokens_of(const char *text)
{
	struct tokens s = { .lexer = { .text = text } };

	tokens_advance(&s);
	return s;
}

void tokens_advance(struct tokens *s)
{
	s->tok = lex_next(&s->lexer);
}

struct token tokens_peek(const struct tokens *s)
{
	struct lexer copy = s->lexer;

	return lex_next(&copy);
}

bool tokens_at_sign(const struct tokens *s, uint64_t sign)
{
	return s->tok.kind == TOKEN_SIGN && s->tok.value == sign;
}

bool tokens_at_word(const struct tokens *s, const char *word)
{
	return token_is(&s->tok, word);
}

bool tokens_take_sign(struct tokens *s, uint64_t sign)
{
	if (!tokens_at_sign(s, sign))
		return false;
	tokens_advance(s);
	return true;
}

bool tokens_take_word(struct tokens *s, const char *word)
{
	if (!tokens_at_word(s, word))
		return false;
	tokens_advance(s);
	return true;
}

struct token tokens_take_raw(struct tokens *s, const struct tokens *keyword)
{
	struct token t;

	s->lexer = keyword->lexer;
	t = lex_raw(&s->lexer);
	tokens_advance(s);
	return t;
}
