/* SPDX-License-Identifier: MIT */
/* Arithmetic on the packet's bytes. A comparison holds only in packets that have all headers whose
 * bytes it reads, as in libpcap: these conditions are collected in guard. */
#include "base/array.h"
#include "filter/arith.h"
#include <errno.h>
#include <linux/if_ether.h>
#include "filter/prim.h"

static int parse_binary(struct parser *p, int level, uint32_t *out, uint32_t *guard);

/* *guard: a condition, 0 for none. */
static void add_guard(struct parser *p, uint32_t *guard, uint32_t node)
{
	*guard = *guard ? tree_and(p, *guard, node) : node;
}

static size_t header_field(const struct filter_proto *proto)
{
	if (proto->layer == PROTO_LINK)
		return offsetof(struct view, link);
	return proto->layer == PROTO_NET ? offsetof(struct view, net)
					 : offsetof(struct view, trans);
}

static int expect_sign(struct parser *p, uint64_t sign)
{
	const char what[] = { '\'', (char)sign, '\'', '\0' };

	return tokens_take_sign(&p->in, sign) ? 0 : tree_fail_expected(p, &p->in.tok, what);
}

/* proto[offset:size] */
static int parse_packet_bytes(struct parser *p, const struct filter_proto *proto, uint32_t *out,
			      uint32_t *guard)
{
	uint64_t size = 1;
	uint32_t off = 0;
	int rc;

	tokens_advance(&p->in);
	rc = expect_sign(p, '[');
	if (!rc)
		rc = parse_binary(p, 1, &off, guard);
	if (!rc && tokens_at_sign(&p->in, ':')) {
		tokens_advance(&p->in);
		size = p->in.tok.kind == TOKEN_NUMBER ? p->in.tok.value : 0;
		if (size != 1 && size != 2 && size != 4)
			return tree_fail_expected(p, &p->in.tok, "size of 1, 2 or 4");
		tokens_advance(&p->in);
	}
	if (!rc)
		rc = expect_sign(p, ']');
	if (rc)
		return rc;
	add_guard(p, guard, prim_proto(p, proto));
	if (proto->layer == PROTO_TRANS)
		add_guard(p, guard, tree_cmp(p, FIELD(trans), FILTER_NE, VIEW_NONE));
	*out = tree_add(p, (struct filter_node){ .op = FILTER_BYTE,
						 .size = (uint8_t)size,
						 .field = (uint16_t)header_field(proto),
						 .a = off });
	return 0;
}

static int parse_term(struct parser *p, uint32_t *out, uint32_t *guard)
{
	const struct filter_proto *proto = names_find_proto(&p->in.tok);
	struct token t = p->in.tok;
	uint32_t value;
	int rc;

	if (proto)
		return parse_packet_bytes(p, proto, out, guard);
	tokens_advance(&p->in);
	if (t.kind == TOKEN_SIGN && t.value == '-') {
		rc = tree_enter_nesting(p, &t);
		if (!rc)
			rc = parse_term(p, out, guard);
		p->depth--;
		*out = tree_add(p, (struct filter_node){ .op = FILTER_NEG, .a = *out });
		return rc;
	}
	if (t.kind == TOKEN_SIGN && t.value == '(') {
		rc = tree_enter_nesting(p, &t);
		if (!rc)
			rc = parse_binary(p, 1, out, guard);
		p->depth--;
		return rc ? rc : expect_sign(p, ')');
	}
	if (token_is(&t, "len")) {
		*out = tree_add(p, (struct filter_node){ .op = FILTER_LOAD,
							 .size = 4,
							 .field = offsetof(struct view, len) });
		return 0;
	}
	if (t.kind == TOKEN_NUMBER && t.value <= UINT32_MAX)
		value = (uint32_t)t.value;
	else if (!names_find_constant(&t, &value))
		return tree_fail_expected(p, &t, "number");
	*out = tree_add(p, (struct filter_node){ .op = FILTER_NUM, .value = value });
	return 0;
}

static bool find_operator(const struct parser *p, int level, enum filter_op *op)
{
	for (int i = 0; i < FILTER_NOPS; i++) {
		if (filter_ops[i].level != level || !tokens_at_sign(&p->in, filter_ops[i].sign))
			continue;
		*op = (enum filter_op)i;
		return true;
	}
	return false;
}

/* Operators of this level and above; those of one level apply from left to right. */
static int parse_binary(struct parser *p, int level, uint32_t *out, uint32_t *guard)
{
	enum filter_op op;
	int rc;

	if (level > FILTER_LEVEL_MAX)
		return parse_term(p, out, guard);
	rc = parse_binary(p, level + 1, out, guard);
	while (!rc && find_operator(p, level, &op)) {
		uint32_t b = 0;

		tokens_advance(&p->in);
		rc = parse_binary(p, level + 1, &b, guard);
		*out = tree_add(p, (struct filter_node){ .op = (uint8_t)op, .a = *out, .b = b });
	}
	return rc;
}

static bool find_comparison(const struct parser *p, enum filter_cmp *cmp)
{
	static const struct {
		uint64_t sign;
		enum filter_cmp cmp;
	} comparisons[] = {
		{ '=', FILTER_EQ },
		{ SIGN2('=', '='), FILTER_EQ },
		{ SIGN2('!', '='), FILTER_NE },
		{ '>', FILTER_GT },
		{ SIGN2('>', '='), FILTER_GE },
		{ '<', FILTER_LT },
		{ SIGN2('<', '='), FILTER_LE },
	};

	for (size_t i = 0; i < ARRAY_LEN(comparisons); i++) {
		if (!tokens_at_sign(&p->in, comparisons[i].sign))
			continue;
		*cmp = comparisons[i].cmp;
		return true;
	}
	return false;
}

/* Returns true if an arithmetic expression may start here. A protocol starts one only before a
 * '['. */
static bool may_start_number(const struct parser *p)
{
	struct token next;
	uint32_t value;

	if (p->in.tok.kind == TOKEN_NUMBER || tokens_at_word(&p->in, "len") ||
	    tokens_at_sign(&p->in, '-') || tokens_at_sign(&p->in, '(') ||
	    names_find_constant(&p->in.tok, &value))
		return true;
	if (!names_find_proto(&p->in.tok))
		return false;
	next = tokens_peek(&p->in);
	return next.kind == TOKEN_SIGN && next.value == '[';
}

bool arith_parse_relation(struct parser *p, uint32_t *out, int *rc)
{
	struct tree_mark before = tree_mark(p);
	/* Nothing else starts like this; numbers and parentheses may be something else. */
	bool certain = names_find_proto(&p->in.tok) || tokens_at_word(&p->in, "len");
	uint32_t a, b, guard = 0, node;
	enum filter_cmp cmp;

	if (!may_start_number(p))
		return false;
	*rc = parse_binary(p, 1, &a, &guard);
	if (*rc || !find_comparison(p, &cmp)) {
		if (!*rc && certain)
			*rc = tree_fail_expected(p, &p->in.tok, "comparison such as '!= 0'");
		if (certain)
			return true;
		tree_return(p, &before);
		return false;
	}
	tokens_advance(&p->in);
	*rc = parse_binary(p, 1, &b, &guard);
	node = tree_add(
		p, (struct filter_node){ .op = FILTER_REL, .cmp = (uint8_t)cmp, .a = a, .b = b });
	*out = guard ? tree_and(p, guard, node) : node;
	p->has_qual = false;
	return true;
}
