/* SPDX-License-Identifier: MIT */
/* The grammar of pcap-filter(7): "and" and "or" have the same precedence, from left to right. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/array.h"
#include "filter/arith.h"
#include "filter/ext.h"
#include "filter/prim.h"
#include "filter/tree.h"

static int parse_expression(struct parser *p, uint32_t *out);

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

/* Parses "src", "dst", "src or dst", "src and dst", "dst or src" or "dst and src". Returns false if
 * it is none of them. */
static bool parse_direction(struct parser *p, struct qual *q)
{
	bool src = tokens_at_word(&p->in, "src");
	struct tokens before;
	bool both;

	if (!src && !tokens_at_word(&p->in, "dst"))
		return false;
	tokens_advance(&p->in);
	q->dir = src ? DIR_SRC : DIR_DST;
	before = p->in;
	if (!is_and(&p->in.tok) && !is_or(&p->in.tok))
		return true;
	both = is_and(&p->in.tok);
	tokens_advance(&p->in);
	if (tokens_take_word(&p->in, src ? "dst" : "src"))
		q->dir = both ? DIR_BOTH : DIR_EITHER;
	else
		p->in = before;
	return true;
}

/* TYPE_NONE: the word is no type. */
static enum qual_type find_type(const struct token *t)
{
	static const struct {
		const char *word;
		enum qual_type type;
	} types[] = {
		{ "host", TYPE_HOST },           { "net", TYPE_NET },
		{ "port", TYPE_PORT },           { "proto", TYPE_PROTO },
		{ "portrange", TYPE_PORTRANGE }, { "protochain", TYPE_PROTOCHAIN },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (token_is(t, types[i].word))
			return types[i].type;
	return TYPE_NONE;
}

/* Words that qualify the name, number or address after them. */
static bool is_qualifier(const struct token *t)
{
	return find_type(t) != TYPE_NONE || token_is(t, "src") || token_is(t, "dst");
}

static bool parse_type(struct parser *p, struct qual *q)
{
	q->type = find_type(&p->in.tok);
	if (q->type == TYPE_NONE)
		return false;
	tokens_advance(&p->in);
	return true;
}

static int parse_prefix_len(struct parser *p, const struct qual *q, const struct token *addr,
			    uint32_t *out)
{
	struct token bits = p->in.tok;

	if (bits.kind != TOKEN_NUMBER || bits.value > 128)
		return tree_fail_expected(p, &bits, "prefix length from 0 to 128");
	tokens_advance(&p->in);
	return prim_net(p, q, addr, (unsigned int)bits.value, NULL, out);
}

static int parse_mask(struct parser *p, const struct qual *q, const struct token *addr,
		      uint32_t *out)
{
	struct token mask = p->in.tok;

	if (addr->kind != TOKEN_IPV4)
		return tree_fail(p, &mask, "'mask' is for IPv4: use ADDRESS/BITS");
	if (mask.kind != TOKEN_IPV4 || mask.bits != 32)
		return tree_fail_expected(p, &mask, "mask such as 255.255.255.0");
	tokens_advance(&p->in);
	return prim_net(p, q, addr, 32, &mask, out);
}

/* "/24" or "mask 255.255.255.0" after an address. *taken: whether there is one; if not, *out is not
 * set. */
static int parse_net_suffix(struct parser *p, const struct qual *q, const struct token *addr,
			    uint32_t *out, bool *taken)
{
	bool slash = tokens_at_sign(&p->in, '/');

	*taken = slash || (q->type == TYPE_NET && tokens_at_word(&p->in, "mask"));
	if (!*taken)
		return 0;
	if (q->type != TYPE_NET && q->type != TYPE_NONE)
		return tree_fail(p, &p->in.tok, "a prefix length needs 'net' before the address");
	tokens_advance(&p->in);
	return slash ? parse_prefix_len(p, q, addr, out) : parse_mask(p, q, addr, out);
}

/* One name, number or address after the qualifiers q. */
static int parse_single_id(struct parser *p, const struct qual *q, uint32_t *out)
{
	static const char *const expected[] = {
		[TYPE_NONE] = "address or host name",
		[TYPE_HOST] = "address or host name",
		[TYPE_NET] = "network such as 10.0.0.0/8",
		[TYPE_PORT] = "port number or service name",
		[TYPE_PORTRANGE] = "port range such as 80-90",
		[TYPE_PROTO] = "protocol name or number",
		[TYPE_PROTOCHAIN] = "protocol name or number",
	};
	struct token t = p->in.tok, number = t;
	bool taken = false;
	int rc;

	if (t.kind == TOKEN_END || t.kind == TOKEN_SIGN || t.kind == TOKEN_BAD)
		return tree_fail_expected(p, &t, expected[q->type]);
	tokens_advance(&p->in);
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

/* "80 or 443)" after a qualifier and a parenthesis. */
static int parse_id_list(struct parser *p, const struct qual *q, uint32_t *out)
{
	int rc = parse_id(p, q, out);

	while (!rc && (is_and(&p->in.tok) || is_or(&p->in.tok))) {
		bool both = is_and(&p->in.tok);
		uint32_t b = 0;

		tokens_advance(&p->in);
		rc = parse_id(p, q, &b);
		*out = both ? tree_and(p, *out, b) : tree_or(p, *out, b);
	}
	return rc;
}

static int close_paren(struct parser *p)
{
	p->depth--;
	return tokens_take_sign(&p->in, ')') ? 0 : tree_fail_expected(p, &p->in.tok, "')'");
}

static int parse_id(struct parser *p, const struct qual *q, uint32_t *out)
{
	int rc = tree_enter_nesting(p, &p->in.tok);

	if (rc)
		return rc;
	if (is_not(&p->in.tok)) {
		tokens_advance(&p->in);
		rc = parse_id(p, q, out);
		p->depth--;
		*out = rc ? 0 : tree_not(p, *out);
		return rc;
	}
	if (tokens_at_sign(&p->in, '(')) {
		tokens_advance(&p->in);
		rc = parse_id_list(p, q, out);
		return rc ? rc : close_paren(p);
	}
	p->depth--;
	return parse_single_id(p, q, out);
}

/* Returns true if the current token may be a name, number or address, or start a list of them. */
static bool may_start_id(const struct parser *p)
{
	const struct token *t = &p->in.tok;

	if (t->kind == TOKEN_SIGN)
		return t->value == '(' || t->value == '!';
	return t->kind != TOKEN_END && t->kind != TOKEN_BAD && !is_qualifier(t) &&
	       !token_is(t, "and") && !token_is(t, "or") && !token_is(t, "not");
}

static int parse_number(struct parser *p, uint64_t max, uint64_t *value)
{
	char what[48];

	if (p->in.tok.kind != TOKEN_NUMBER || p->in.tok.value > max) {
		snprintf(what, sizeof(what), "number from 0 to %llu", (unsigned long long)max);
		return tree_fail_expected(p, &p->in.tok, what);
	}
	*value = p->in.tok.value;
	tokens_advance(&p->in);
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

/* "vlan": any tag. "vlan ID": a tag with this identifier, outer or inner. */
static int parse_vlan(struct parser *p, uint32_t *out)
{
	uint64_t tag;
	int rc;

	if (p->in.tok.kind != TOKEN_NUMBER) {
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
	if (p->in.tok.kind != TOKEN_NUMBER)
		return 0;
	rc = parse_number(p, (1 << 20) - 1, &label);
	if (!rc)
		*out = tree_and(p, *out, tree_cmp(p, FIELD(label), FILTER_EQ, label));
	return rc;
}

static int parse_primary(struct parser *p, uint32_t *out);

static int parse_inner(struct parser *p, uint32_t *out)
{
	int rc = tree_enter_nesting(p, &p->in.tok);

	if (!rc)
		rc = parse_primary(p, out);
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

/* Keywords that start a primitive. ext.c has those whose argument is not a token. */
static const struct {
	const char *word;
	int (*parse)(struct parser *p, uint32_t *out);
} keywords[] = {
	{ "less", parse_less },         { "greater", parse_greater }, { "inbound", parse_inbound },
	{ "outbound", parse_outbound }, { "vlan", parse_vlan },       { "mpls", parse_mpls },
	{ "inner", parse_inner },       { "pid", parse_pid },
};

static bool is_keyword(const struct token *t)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (token_is(t, keywords[i].word))
			return true;
	return ext_is_keyword(t);
}

/* A primitive that starts with a keyword. True: there is one, with *rc 0 and *out, or -EINVAL. */
static bool parse_keyword(struct parser *p, uint32_t *out, int *rc)
{
	struct tokens before = p->in;

	if (ext_is_keyword(&p->in.tok)) {
		p->has_qual = false;
		tokens_advance(&p->in);
		*rc = ext_parse_keyword(p, &before, out);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		if (!tokens_take_word(&p->in, keywords[i].word))
			continue;
		p->has_qual = false;
		*rc = keywords[i].parse(p, out);
		return true;
	}
	return false;
}

/* The current token starts no expression. */
static int fail_unknown(struct parser *p)
{
	const struct token *t = &p->in.tok;

	if (t->kind != TOKEN_WORD)
		return tree_fail_expected(p, t, "filter expression");
	return tree_fail(p, t, "unknown filter keyword '%.*s'", (int)t->len, t->text);
}

/* Parses an optional protocol, direction and type, in this order, and the name, number or address
 * that they qualify. */
static int parse_qualified(struct parser *p, uint32_t *out)
{
	struct token first = p->in.tok;
	struct qual q = { .proto = names_find_proto(&p->in.tok) };
	struct tokens before;
	bool dir, type;

	if (q.proto)
		tokens_advance(&p->in);
	if (tokens_at_word(&p->in, "broadcast") || tokens_at_word(&p->in, "multicast")) {
		bool multicast = tokens_at_word(&p->in, "multicast");

		tokens_advance(&p->in);
		p->has_qual = false;
		return prim_broadcast(p, q.proto, &first, multicast, out);
	}
	dir = parse_direction(p, &q);
	if (tokens_at_word(&p->in, "set")) {
		before = p->in;
		tokens_advance(&p->in);
		p->has_qual = false;
		return ext_parse_set(p, &before, &q, out);
	}
	type = parse_type(p, &q);
	if (q.proto && !dir && !type &&
	    (!may_start_id(p) || tokens_at_sign(&p->in, '(') || is_not(&p->in.tok))) {
		*out = prim_proto(p, q.proto);
		p->has_qual = false;
		return 0;
	}
	if (!q.proto && !dir && !type && p->in.tok.kind != TOKEN_IPV4 &&
	    p->in.tok.kind != TOKEN_IPV6 && p->in.tok.kind != TOKEN_MAC)
		return fail_unknown(p);
	p->qual = q;
	p->has_qual = true;
	return parse_id(p, &q, out);
}

static int parse_primary(struct parser *p, uint32_t *out)
{
	int rc;

	if (arith_parse_relation(p, out, &rc))
		return rc;
	if (is_not(&p->in.tok)) {
		rc = tree_enter_nesting(p, &p->in.tok);
		tokens_advance(&p->in);
		if (!rc)
			rc = parse_primary(p, out);
		p->depth--;
		*out = rc ? 0 : tree_not(p, *out);
		return rc;
	}
	if (tokens_at_sign(&p->in, '(')) {
		rc = tree_enter_nesting(p, &p->in.tok);
		tokens_advance(&p->in);
		if (!rc)
			rc = parse_expression(p, out);
		return rc ? rc : close_paren(p);
	}
	if (parse_keyword(p, out, &rc))
		return rc;
	return parse_qualified(p, out);
}

/* Returns true if what follows "and" or "or" is a bare name, number or address, to which the
 * qualifiers before apply: "port 80 or 443". */
static bool inherits_qualifiers(struct parser *p)
{
	struct token t = is_not(&p->in.tok) ? tokens_peek(&p->in) : p->in.tok;
	uint32_t unused;
	int rc;

	if (!p->has_qual || names_find_proto(&t) || (t.kind == TOKEN_SIGN))
		return false;
	if (t.kind == TOKEN_NUMBER || names_find_constant(&t, &unused)) {
		struct tree_mark before = tree_mark(p);
		bool relation = !is_not(&p->in.tok) && arith_parse_relation(p, &unused, &rc);

		tree_return(p, &before);
		return !relation;
	}
	if (t.kind != TOKEN_WORD)
		return t.kind != TOKEN_END && t.kind != TOKEN_BAD;
	return !is_keyword(&t) && !is_qualifier(&t) && !token_is(&t, "len") &&
	       !token_is(&t, "broadcast") && !token_is(&t, "multicast");
}

static int parse_expression(struct parser *p, uint32_t *out)
{
	int rc = parse_primary(p, out);

	while (!rc && (is_and(&p->in.tok) || is_or(&p->in.tok))) {
		bool both = is_and(&p->in.tok);
		uint32_t b = 0;

		tokens_advance(&p->in);
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
	struct parser p = { .in = tokens_of(text), .names = names, .diag = diag };
	uint32_t root = 0;
	int rc = 0;

	tree_const(&p, false);
	if (p.in.tok.kind == TOKEN_END)
		root = tree_const(&p, true);
	else
		rc = parse_expression(&p, &root);
	if (!rc && p.in.tok.kind != TOKEN_END)
		rc = tree_fail_expected(&p, &p.in.tok, "'and', 'or' or end of filter");
	if (p.nomem)
		rc = p.out.n >= TREE_NODES_MAX
			     ? tree_fail(&p, &p.in.tok, "filter too long: list addresses in a set")
			     : -ENOMEM;
	if (rc) {
		filter_close(&p.out);
		return rc;
	}
	p.out.root = root;
	*f = p.out;
	return 0;
}
