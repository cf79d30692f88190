/* SPDX-License-Identifier: MIT */
/* Splits a filter's text into tokens. */
#ifndef FILTER_LEX_H
#define FILTER_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* text, len: a keyword or a name */
	TOKEN_QUOTED, /* text, len: a name even if it looks like a keyword: "..." or \word */
	TOKEN_NUMBER, /* value */
	TOKEN_IPV4,   /* bytes; bits: 8 for each of its numbers, as in 10.1 */
	TOKEN_IPV6,   /* bytes */
	TOKEN_MAC,    /* bytes */
	TOKEN_SIGN,   /* value: the character, or two of them as in SIGN2() */
	TOKEN_BAD,    /* text, len: not a token */
};
#define SIGN2(a, b) ((a) << 8 | (b))

enum { TOKEN_TEXT_MAX = 256 };

struct token {
	enum token_kind kind;
	size_t pos; /* its offset in the text */
	const char *text;
	size_t len;
	uint64_t value;
	unsigned int bits;
	uint8_t bytes[16];
};

/* depth: number of open brackets. Within them ':' and '-' are signs. */
struct lexer {
	const char *text;
	size_t pos;
	int depth;
};

struct token lex_next(struct lexer *l);
/* Returns a raw word: up to white space or a closing parenthesis, like a file name; or quoted. */
struct token lex_raw(struct lexer *l);
/* Returns true if the token is this word, not quoted. */
bool token_is(const struct token *t, const char *word);
/* Returns the offset of the '-' in a word such as "80-90", which one token holds; 0: none. */
size_t token_dash(const struct token *t);

#endif
