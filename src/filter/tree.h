/* SPDX-License-Identifier: MIT */
/* The state of a parse, and the nodes of its tree. */
#ifndef FILTER_TREE_H
#define FILTER_TREE_H

#include <stddef.h>
#include "filter/filter.h"
#include "filter/names.h"
#include "filter/tokens.h"

enum {
	TREE_NODES_MAX = 1 << 16,
	TREE_DEPTH_MAX = 200, /* nested parentheses and nots */
};

enum qual_dir { DIR_EITHER, DIR_SRC, DIR_DST, DIR_BOTH };
enum qual_type {
	TYPE_NONE,
	TYPE_HOST,
	TYPE_NET,
	TYPE_PORT,
	TYPE_PORTRANGE,
	TYPE_PROTO,
	TYPE_PROTOCHAIN
};

/* The qualifiers of a name, number or address. */
struct qual {
	const struct filter_proto *proto; /* NULL: any */
	enum qual_dir dir;
	enum qual_type type;
};

struct parser {
	struct tokens in;
	struct filter out;
	const struct filter_names *names;
	struct diag *diag;
	struct qual qual;
	/* qual holds: a bare name, number or address after "and" or "or" inherits it. */
	bool has_qual;
	bool nomem; /* memory ran out, or the tree reached TREE_NODES_MAX */
	int depth;
};

/* The state of a parse, to return to after a failed attempt. */
struct tree_mark {
	struct tokens in;
	size_t n;
	unsigned int needs;
	int depth;
};
struct tree_mark tree_mark(const struct parser *p);
void tree_return(struct parser *p, const struct tree_mark *mark);

/* Constructors of nodes; they return the node's number. If memory runs out they set p->nomem and
 * return 0, which is a FILTER_FALSE node. */
uint32_t tree_add(struct parser *p, struct filter_node node);
uint32_t tree_const(struct parser *p, bool value);
uint32_t tree_not(struct parser *p, uint32_t a);
uint32_t tree_and(struct parser *p, uint32_t a, uint32_t b);
uint32_t tree_or(struct parser *p, uint32_t a, uint32_t b);
/* Compare a field of struct view with value, in all its bits or in those of mask. */
uint32_t tree_cmp(struct parser *p, size_t field, size_t size, enum filter_cmp cmp, uint64_t value);
uint32_t tree_cmp_masked(struct parser *p, size_t field, size_t size, uint64_t mask,
			 uint64_t value);
/* Compares len bytes (4, 6, 8 or 16) of a field with these, in the bits of mask (NULL: all). */
uint32_t tree_bytes(struct parser *p, size_t field, const uint8_t *bytes, const uint8_t *mask,
		    size_t len);
#define FIELD(member) offsetof(struct view, member), sizeof(((struct view *)0)->member)

/* Writes a message into p->diag, with the position of the token. Returns -EINVAL. */
int tree_fail(struct parser *p, const struct token *t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Like tree_fail(), with "missing WHAT" at the end of the text, else "expected WHAT, not
 * 'TOKEN'". */
int tree_fail_expected(struct parser *p, const struct token *t, const char *what);

/* Reports a failed lookup of a name: keeps the message that the lookup wrote into p->diag->msg,
 * which was empty before it, or writes "no WHAT NAME". Returns -EINVAL. */
int tree_fail_lookup(struct parser *p, const struct token *t, const char *what, const char *name);

/* Counts one more level of nesting. 0, or -EINVAL with a message at t if there are too many. The
 * caller decrements p->depth at the end of the level. */
int tree_enter_nesting(struct parser *p, const struct token *t);

/* Joins a test of the source and one of the destination as the direction requires. */
uint32_t tree_src_dst(struct parser *p, enum qual_dir dir, uint32_t src, uint32_t dst);

#endif
