/* SPDX-License-Identifier: MIT */
/* A parse in progress, and the nodes that primitives are made of. */
#ifndef FILTER_TREE_H
#define FILTER_TREE_H

#include <stddef.h>
#include "filter/filter.h"
#include "filter/names.h"
#include "filter/tokens.h"

enum {
	TREE_NODES_MAX = 1 << 16,
	TREE_DEPTH_MAX = 200, /* parentheses and nots within each other */
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

/* What stands before a name or number, and goes on to hold behind "or". */
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
	bool qualified; /* qual is of something that was said */
	bool nomem;
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

/* A node's number; 0 (which is FILTER_FALSE) if there is no memory, which p->nomem keeps. */
uint32_t tree_add(struct parser *p, struct filter_node node);
uint32_t tree_const(struct parser *p, bool value);
uint32_t tree_not(struct parser *p, uint32_t a);
uint32_t tree_and(struct parser *p, uint32_t a, uint32_t b);
uint32_t tree_or(struct parser *p, uint32_t a, uint32_t b);
/* A field of the view compared; the mask is that of all its bits. */
uint32_t tree_cmp(struct parser *p, size_t field, size_t size, enum filter_cmp cmp, uint64_t value);
uint32_t tree_cmp_masked(struct parser *p, size_t field, size_t size, uint64_t mask,
			 uint64_t value);
/* len (of 4, 6, 8 or 16) bytes of a field equal these, as far as mask says (NULL: all). */
uint32_t tree_bytes(struct parser *p, size_t field, const uint8_t *bytes, const uint8_t *mask,
		    size_t len);
#define FIELD(member) offsetof(struct view, member), sizeof(((struct view *)0)->member)

/* Say what is wrong, at a token. Returns -EINVAL. */
int tree_fail(struct parser *p, const struct token *t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Say what the host said of a name (in p->diag->msg, which was empty when it was asked), or that
 * there is no such thing. Returns -EINVAL. */
int tree_fail_lookup(struct parser *p, const struct token *t, const char *what, const char *name);

/* A test of either side, joined as the direction says. */
uint32_t tree_src_dst(struct parser *p, enum qual_dir dir, uint32_t src, uint32_t dst);

/* Primitives. Each gives 0 and *out, or -EINVAL. */
uint32_t prim_proto(struct parser *p, const struct filter_proto *proto);
/* What qual makes of a name or number. */
int prim_id(struct parser *p, const struct qual *qual, const struct token *t, uint32_t *out);
/* An address with a mask given as bits ("/24"), or as a second address; t is the address. */
int prim_net(struct parser *p, const struct qual *qual, const struct token *t, unsigned int bits,
	     const struct token *mask, uint32_t *out);
int prim_broadcast(struct parser *p, const struct filter_proto *proto, const struct token *t,
		   bool multi, uint32_t *out);

#endif
