/* SPDX-License-Identifier: MIT */
/* The words of a filter. */
#ifndef FILTER_LEX_H
#define FILTER_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* text, len: a keyword or a name */
	TOKEN_QUOTED, /* text, len: a name, whatever it looks like: "..." or \word */
	TOKEN_NUMBER, /* value */
	TOKEN_IPV4,   /* bytes, bits: 8 for each number that was given */
	TOKEN_IPV6,   /* bytes */
	TOKEN_MAC,    /* bytes */
	TOKEN_SIGN,   /* value: the character, or two of them as in SIGN2() */
	TOKEN_BAD,    /* text, len: what no word begins with */
};
#define SIGN2(a, b) ((a) << 8 | (b))

enum { TOKEN_TEXT_MAX = 256 };

struct token {
	enum token_kind kind;
	size_t pos; /* where in the whole text it begins */
	const char *text;
	size_t len;
	uint64_t value;
	unsigned int bits;
	uint8_t bytes[16];
};

/* depth: brackets that are open, in which : and - are signs. */
struct lexer {
	const char *text;
	size_t pos;
	int depth;
};

/* The next token. */
struct token lex_next(struct lexer *l);
/* The next word up to white space or a closing parenthesis, as file names and the like are. */
struct token lex_raw(struct lexer *l);
/* Whether it is this word, not quoted. */
bool token_is(const struct token *t, const char *word);
/* A range "80-90" of names or numbers as it comes in one word: where its '-' is, 0 if it is none.
 */
size_t token_dash(const struct token *t);

#endif
