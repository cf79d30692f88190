/* SPDX-License-Identifier: MIT */
/* The grammar: pcap-filter(7)'s, "and" and "or" of the same precedence, from left to right. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "filter/arith.h"
#include "filter/ext.h"
#include "filter/tree.h"

static int parse_expression(struct parser *p, uint32_t *out);

void parse_advance(struct parser *p)
{
	p->now = lex_next(&p->lexer);
}

bool parse_sign(const struct parser *p, uint64_t sign)
{
	return p->now.kind == TOKEN_SIGN && p->now.value == sign;
}

struct parse_mark parse_mark(const struct parser *p)
{
	return (struct parse_mark){ p->lexer, p->now, p->out.n, p->out.needs };
}

void parse_return(struct parser *p, const struct parse_mark *mark)
{
	p->lexer = mark->lexer;
	p->now = mark->now;
	p->out.n = mark->n;
	p->out.needs = mark->needs;
}

/* The token behind the present one. */
static struct token peek_token(const struct parser *p)
{
	struct lexer copy = p->lexer;

	return lex_next(&copy);
}

static bool accept_word(struct parser *p, const char *word)
{
	if (!token_is(&p->now, word))
		return false;
	parse_advance(p);
	return true;
}

static bool is_and(const struct token *t)
{
	return token_is(t, "and") || (t->kind == TOKEN_SIGN && t->value == SIGN2('&', '&'));
}

static bool is_or(const struct token *t)
{
	return token_is(t, "or") || (t->kind == TOKEN_SIGN && t->value == SIGN2('|', '|'));
}

static bool is_not(const struct token *t)
{
	return token_is(t, "not") || (t->kind == TOKEN_SIGN && t->value == '!');
}

/* "src", "dst", "src or dst", "src and dst", and the last two the other way round. */
static bool parse_direction(struct parser *p, struct qual *q)
{
	bool src = token_is(&p->now, "src");
	struct parse_mark before;
	bool both;

	if (!src && !token_is(&p->now, "dst"))
		return false;
	parse_advance(p);
	q->dir = src ? DIR_SRC : DIR_DST;
	before = parse_mark(p);
	if (!is_and(&p->now) && !is_or(&p->now))
		return true;
	both = is_and(&p->now);
	parse_advance(p);
	if (accept_word(p, src ? "dst" : "src"))
		q->dir = both ? DIR_BOTH : DIR_EITHER;
	else
		parse_return(p, &before);
	return true;
}

static bool parse_type(struct parser *p, struct qual *q)
{
	static const struct {
		const char *word;
		enum qual_type type;
	} types[] = {
		{ "host", TYPE_HOST },           { "net", TYPE_NET },
		{ "port", TYPE_PORT },           { "proto", TYPE_PROTO },
		{ "portrange", TYPE_PORTRANGE }, { "protochain", TYPE_PROTOCHAIN },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (!accept_word(p, types[i].word))
			continue;
		q->type = types[i].type;
		return true;
	}
	return false;
}

/* "/24", or "mask 255.255.255.0", behind an address. */
static int parse_net_suffix(struct parser *p, const struct qual *q, const struct token *t,
			    uint32_t *out, bool *taken)
{
	bool slash = parse_sign(p, '/');

	*taken = slash || (q->type == TYPE_NET && token_is(&p->now, "mask"));
	if (!*taken)
		return 0;
	if (q->type != TYPE_NET && q->type != TYPE_NONE)
		return tree_fail(p, &p->now, "a mask belongs to a net");
	parse_advance(p);
	if (slash) {
		struct token bits = p->now;

		if (bits.kind != TOKEN_NUMBER || bits.value > 128)
			return tree_fail(p, &bits, "a prefix length is a number");
		parse_advance(p);
		return prim_net(p, q, t, (unsigned int)bits.value, NULL, out);
	}
	if (p->now.kind != TOKEN_IPV4 || p->now.bits != 32 || t->kind != TOKEN_IPV4)
		return tree_fail(p, &p->now, "a mask is an IPv4 address, as the net is");
	*out = 0;
	{
		struct token mask = p->now;

		parse_advance(p);
		return prim_net(p, q, t, 32, &mask, out);
	}
}

/* One name, number or address, under the qualifiers. */
static int parse_single_id(struct parser *p, const struct qual *q, uint32_t *out)
{
	struct token t = p->now, number = t;
	bool taken = false;
	int rc;

	if (t.kind == TOKEN_END || t.kind == TOKEN_SIGN || t.kind == TOKEN_BAD)
		return tree_fail(p, &t,
				 t.kind == TOKEN_END ? "something has to follow here"
						     : "a name or number has to be here");
	parse_advance(p);
	if (t.kind == TOKEN_NUMBER && q->type == TYPE_NET) {
		number.kind = TOKEN_IPV4;
		number.bytes[0] = (uint8_t)t.value;
		if (t.value > 255)
			number = t;
	}
	if (number.kind == TOKEN_IPV4 || t.kind == TOKEN_IPV6) {
		rc = parse_net_suffix(p, q, &number, out, &taken);
		if (rc || taken)
			return rc;
	}
	return prim_id(p, q, &t, out);
}

static int parse_id(struct parser *p, const struct qual *q, uint32_t *out);

/* "(80 or 443)" behind a qualifier. */
static int parse_id_list(struct parser *p, const struct qual *q, uint32_t *out)
{
	int rc = parse_id(p, q, out);

	while (!rc && (is_and(&p->now) || is_or(&p->now))) {
		bool both = is_and(&p->now);
		uint32_t b = 0;

		parse_advance(p);
		rc = parse_id(p, q, &b);
		*out = both ? tree_and(p, *out, b) : tree_or(p, *out, b);
	}
	return rc;
}

static int enter_nesting(struct parser *p)
{
	if (++p->depth > TREE_DEPTH_MAX)
		return tree_fail(p, &p->now, "more than %d parentheses within each other",
				 TREE_DEPTH_MAX);
	return 0;
}

static int close_paren(struct parser *p)
{
	p->depth--;
	if (!parse_sign(p, ')'))
		return tree_fail(p, &p->now, "a ')' is missing here");
	parse_advance(p);
	return 0;
}

static int parse_id(struct parser *p, const struct qual *q, uint32_t *out)
{
	int rc = enter_nesting(p);

	if (rc)
		return rc;
	if (is_not(&p->now)) {
		parse_advance(p);
		rc = parse_id(p, q, out);
		p->depth--;
		*out = rc ? 0 : tree_not(p, *out);
		return rc;
	}
	if (parse_sign(p, '(')) {
		parse_advance(p);
		rc = parse_id_list(p, q, out);
		return rc ? rc : close_paren(p);
	}
	p->depth--;
	return parse_single_id(p, q, out);
}

/* Whether a name, number or address may begin here; a keyword is none. */
static bool may_start_id(const struct parser *p)
{
	static const char *const keywords[] = { "and",   "or",        "not",       "src",
						"dst",   "host",      "net",       "port",
						"proto", "portrange", "protochain" };

	if (p->now.kind == TOKEN_SIGN)
		return p->now.value == '(' || p->now.value == '!';
	if (p->now.kind == TOKEN_END || p->now.kind == TOKEN_BAD)
		return false;
	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
		if (token_is(&p->now, keywords[i]))
			return false;
	return true;
}

static int parse_number(struct parser *p, uint64_t max, uint64_t *value)
{
	if (p->now.kind != TOKEN_NUMBER || p->now.value > max)
		return tree_fail(p, &p->now, "a number to %llu has to be here",
				 (unsigned long long)max);
	*value = p->now.value;
	parse_advance(p);
	return 0;
}

static int parse_len(struct parser *p, enum filter_cmp cmp, uint32_t *out)
{
	uint64_t value;
	int rc = parse_number(p, UINT32_MAX, &value);

	if (!rc)
		*out = tree_cmp(p, FIELD(len), cmp, value);
	return rc;
}

static int parse_less(struct parser *p, uint32_t *out)
{
	return parse_len(p, FILTER_LE, out);
}

static int parse_greater(struct parser *p, uint32_t *out)
{
	return parse_len(p, FILTER_GE, out);
}

static int parse_inbound(struct parser *p, uint32_t *out)
{
	*out = tree_cmp(p, FIELD(dir), FILTER_EQ, VIEW_IN);
	return 0;
}

static int parse_outbound(struct parser *p, uint32_t *out)
{
	*out = tree_cmp(p, FIELD(dir), FILTER_EQ, VIEW_OUT);
	return 0;
}

/* Any tag, or a tag with this identifier wherever it stands. */
static int parse_vlan(struct parser *p, uint32_t *out)
{
	uint64_t tag;
	int rc;

	if (p->now.kind != TOKEN_NUMBER) {
		*out = tree_cmp(p, FIELD(vlans), FILTER_NE, 0);
		return 0;
	}
	rc = parse_number(p, 4095, &tag);
	if (rc)
		return rc;
	*out = tree_or(p,
		       tree_and(p, tree_cmp(p, FIELD(vlans), FILTER_GE, 1),
				tree_cmp(p, FIELD(vlan[0]), FILTER_EQ, tag)),
		       tree_and(p, tree_cmp(p, FIELD(vlans), FILTER_GE, 2),
				tree_cmp(p, FIELD(vlan[1]), FILTER_EQ, tag)));
	return 0;
}

static int parse_mpls(struct parser *p, uint32_t *out)
{
	uint64_t label;
	int rc;

	*out = tree_cmp(p, FIELD(labels), FILTER_NE, 0);
	if (p->now.kind != TOKEN_NUMBER)
		return 0;
	rc = parse_number(p, (1 << 20) - 1, &label);
	if (!rc)
		*out = tree_and(p, *out, tree_cmp(p, FIELD(label), FILTER_EQ, label));
	return rc;
}

static int parse_primary(struct parser *p, uint32_t *out);

static int parse_inner(struct parser *p, uint32_t *out)
{
	int rc = enter_nesting(p);

	rc = rc ? rc : parse_primary(p, out);
	p->depth--;
	*out = tree_add(p, (struct filter_node){ .op = FILTER_INNER, .a = *out });
	p->out.needs |= FILTER_NEED_INNER;
	return rc;
}

static int parse_pid(struct parser *p, uint32_t *out)
{
	uint64_t pid;
	int rc = parse_number(p, INT32_MAX, &pid);

	p->out.needs |= FILTER_NEED_OWNER;
	*out = rc ? 0 : tree_cmp(p, FIELD(pid), FILTER_EQ, pid);
	return rc;
}

/* Words that begin a primitive of their own; more of them are in own.c. */
static const struct {
	const char *word;
	int (*parse)(struct parser *p, uint32_t *out);
} primitives[] = {
	{ "less", parse_less },         { "greater", parse_greater }, { "inbound", parse_inbound },
	{ "outbound", parse_outbound }, { "vlan", parse_vlan },       { "mpls", parse_mpls },
	{ "inner", parse_inner },       { "pid", parse_pid },
};

/* 1: it was one, with *rc. */
static bool parse_keyword(struct parser *p, uint32_t *out, int *rc)
{
	struct parse_mark before = parse_mark(p);

	if (ext_is_keyword(&p->now)) {
		p->qualified = false;
		parse_advance(p);
		*rc = ext_parse_keyword(p, &before, out);
		return true;
	}
	for (size_t i = 0; i < sizeof(primitives) / sizeof(*primitives); i++) {
		if (!accept_word(p, primitives[i].word))
			continue;
		p->qualified = false;
		*rc = primitives[i].parse(p, out);
		return true;
	}
	return false;
}

/* A protocol, a direction, a type, in this order and each if it is there; then what they qualify.
 */
static int qualified(struct parser *p, uint32_t *out)
{
	struct token first = p->now;
	struct qual q = { .proto = names_find_proto(&p->now) };
	struct parse_mark before;
	bool dir, type;

	if (q.proto)
		parse_advance(p);
	if (token_is(&p->now, "broadcast") || token_is(&p->now, "multicast")) {
		bool multi = token_is(&p->now, "multicast");

		parse_advance(p);
		p->qualified = false;
		return prim_broadcast(p, q.proto, &first, multi, out);
	}
	dir = parse_direction(p, &q);
	if (token_is(&p->now, "set")) {
		before = parse_mark(p);
		parse_advance(p);
		p->qualified = false;
		return ext_parse_set(p, &before, &q, out);
	}
	type = parse_type(p, &q);
	if (q.proto && !dir && !type &&
	    (!may_start_id(p) || parse_sign(p, '(') || is_not(&p->now))) {
		*out = prim_proto(p, q.proto);
		p->qualified = false;
		return 0;
	}
	if (!q.proto && !dir && !type && p->now.kind != TOKEN_IPV4 && p->now.kind != TOKEN_IPV6 &&
	    p->now.kind != TOKEN_MAC)
		return tree_fail(p, &p->now,
				 p->now.kind == TOKEN_END
					 ? "something has to follow here"
					 : "not a word of the filter language: '%.*s'",
				 (int)p->now.len, p->now.text);
	p->qual = q;
	p->qualified = true;
	return parse_id(p, &q, out);
}

static int parse_primary(struct parser *p, uint32_t *out)
{
	int rc;

	if (arith_parse_relation(p, out, &rc))
		return rc;
	if (is_not(&p->now)) {
		rc = enter_nesting(p);
		parse_advance(p);
		rc = rc ? rc : parse_primary(p, out);
		p->depth--;
		*out = rc ? 0 : tree_not(p, *out);
		return rc;
	}
	if (parse_sign(p, '(')) {
		rc = enter_nesting(p);
		parse_advance(p);
		rc = rc ? rc : parse_expression(p, out);
		return rc ? rc : close_paren(p);
	}
	if (parse_keyword(p, out, &rc))
		return rc;
	return qualified(p, out);
}

/* Behind "and" and "or" the qualifiers before may hold on: "port 80 or 443". */
static bool inherits_qualifiers(struct parser *p)
{
	struct token t = is_not(&p->now) ? peek_token(p) : p->now;
	uint32_t unused;
	int rc;

	if (!p->qualified || names_find_proto(&t) || (t.kind == TOKEN_SIGN))
		return false;
	if (t.kind == TOKEN_NUMBER || names_find_constant(&t, &unused)) {
		struct parse_mark before = parse_mark(p);
		bool relation = !is_not(&p->now) && arith_parse_relation(p, &unused, &rc);

		parse_return(p, &before);
		return !relation;
	}
	if (t.kind != TOKEN_WORD)
		return t.kind != TOKEN_END && t.kind != TOKEN_BAD;
	for (size_t i = 0; i < sizeof(primitives) / sizeof(*primitives); i++)
		if (token_is(&t, primitives[i].word))
			return false;
	return !ext_is_keyword(&t) && !token_is(&t, "src") && !token_is(&t, "dst") &&
	       !token_is(&t, "len") && !token_is(&t, "host") && !token_is(&t, "net") &&
	       !token_is(&t, "port") && !token_is(&t, "proto") && !token_is(&t, "portrange") &&
	       !token_is(&t, "protochain") && !token_is(&t, "broadcast") &&
	       !token_is(&t, "multicast");
}

static int parse_expression(struct parser *p, uint32_t *out)
{
	int rc = parse_primary(p, out);

	while (!rc && (is_and(&p->now) || is_or(&p->now))) {
		bool both = is_and(&p->now);
		uint32_t b = 0;

		parse_advance(p);
		if (inherits_qualifiers(p)) {
			struct qual q = p->qual;

			rc = parse_id(p, &q, &b);
		} else {
			rc = parse_primary(p, &b);
		}
		*out = both ? tree_and(p, *out, b) : tree_or(p, *out, b);
	}
	return rc;
}

int filter_parse(struct filter *f, const char *text, const struct filter_names *names,
		 struct diag *diag)
{
	struct parser p = { .lexer = { .text = text }, .names = names, .diag = diag };
	uint32_t root = 0;
	int rc = 0;

	tree_const(&p, false);
	parse_advance(&p);
	if (p.now.kind == TOKEN_END)
		root = tree_const(&p, true);
	else
		rc = parse_expression(&p, &root);
	if (!rc && p.now.kind != TOKEN_END)
		rc = tree_fail(&p, &p.now, "not expected here: '%.*s'", (int)p.now.len, p.now.text);
	if (p.nomem) {
		rc = p.out.n >= TREE_NODES_MAX ? tree_fail(&p, &p.now, "too long") : -ENOMEM;
	}
	if (rc) {
		filter_close(&p.out);
		return rc;
	}
	p.out.root = root;
	*f = p.out;
	return 0;
}
