/* SPDX-License-Identifier: MIT */
/* Owners, interfaces, verdicts, sets of addresses, names in packets: what tcpdump's users do not
 * have. */
#include "filter/ext.h"
#include <errno.h>
#include <linux/in.h>
#include <string.h>
#include "base/err.h"
#include "base/grow.h"

/* A name goes up to white space; most are no words of the language. */
static int raw_name(struct parser *p, const struct parse_mark *before, char *name, size_t room)
{
	struct token t;

	p->lexer = before->lexer;
	t = lex_raw(&p->lexer);
	if (t.kind != TOKEN_QUOTED || !t.len || t.len >= room)
		return tree_fail(p, &t, "a name has to be here, of %zu bytes at most", room - 1);
	memcpy(name, t.text, t.len);
	name[t.len] = '\0';
	parse_advance(p);
	return 0;
}

static int prim_comm(struct parser *p, const struct parse_mark *before, uint32_t *out)
{
	char name[sizeof(((struct view *)0)->comm)] = "";
	int rc = raw_name(p, before, name, sizeof(name));

	p->out.needs |= FILTER_NEED_OWNER;
	*out = rc ? 0
		  : tree_bytes(p, offsetof(struct view, comm), (uint8_t *)name, NULL, sizeof(name));
	return rc;
}

static int prim_verdict(struct parser *p, const struct parse_mark *before, uint32_t *out)
{
	struct token t = p->now;
	char name[16];
	int rc = raw_name(p, before, name, sizeof(name));

	if (rc)
		return rc;
	if (strcmp(name, "drop") && strcmp(name, "pass"))
		return tree_fail(p, &t, "a verdict is drop or pass");
	*out = tree_cmp(p, FIELD(verdict), FILTER_EQ, *name == 'd' ? VIEW_DROP : VIEW_PASS);
	return 0;
}

/* Names that this host gives a meaning: it is asked, and a field compared with the answer. */
static int prim_resolved_id(struct parser *p, const struct parse_mark *before, uint32_t *out)
{
	static const struct filter_names nobody;
	const struct filter_names *names = p->names ? p->names : &nobody;
	const struct {
		const char *word, *what;
		int (*small)(void *arg, const char *name, uint32_t *answer, struct diag *why);
		int (*large)(void *arg, const char *name, uint64_t *answer, struct diag *why);
		size_t field, size;
		unsigned int needs;
	} all[] = {
		{ "netns", "network namespace", names->netns, NULL, FIELD(netns),
		  FILTER_NEED_OWNER },
		{ "cgroup", "cgroup", NULL, names->cgroup, FIELD(cgroup), FILTER_NEED_OWNER },
		{ "container", "container", NULL, names->container, FIELD(cgroup),
		  FILTER_NEED_OWNER },
		{ NULL, "interface", names->iface, NULL, FIELD(ifindex), 0 },
	}, *a = all;
	struct token t = p->now;
	char name[TOKEN_TEXT_MAX];
	uint64_t large = 0;
	uint32_t small = 0;
	int rc = raw_name(p, before, name, sizeof(name));

	if (rc)
		return rc;
	while (a->word && !token_is(&before->now, a->word))
		a++;
	*p->diag->msg = '\0';
	rc = a->small   ? a->small(names->arg, name, &small, p->diag)
	     : a->large ? a->large(names->arg, name, &large, p->diag)
			: -ENOENT;
	if (rc)
		return tree_fail_asked(p, &t, a->what, name);
	p->out.needs |= a->needs;
	*out = tree_cmp(p, a->field, a->size, FILTER_EQ, small | large);
	return 0;
}

/* The file's set, read and parsed. */
static int parse_set(struct parser *p, const char *file, struct filter_set *set, struct diag *diag)
{
	struct buf text = { 0 };
	int rc = -ENOENT;

	if (p->names && p->names->set)
		rc = p->names->set(p->names->arg, file, &text, p->diag);
	if (!rc)
		rc = text.nomem ? -ENOMEM : set_parse(set, text.data, text.len, diag);
	buf_free(&text);
	return rc;
}

static int read_set(struct parser *p, const struct token *t, const char *file,
		    struct filter_set *set)
{
	struct diag diag = { 0 };
	int rc = 0;

	*p->diag->msg = '\0';
	if (p->names && p->names->known)
		rc = p->names->known(p->names->arg, file, set);
	if (!rc)
		rc = parse_set(p, file, set, &diag);
	rc = rc > 0 ? 0 : rc;
	p->nomem |= rc == -ENOMEM;
	set->name = strdup(file);
	p->nomem |= !set->name;
	if (*diag.msg)
		return tree_fail(p, t, "%s:%s", file, diag.msg);
	return rc ? tree_fail_asked(p, t, "set of addresses", file) : 0;
}

/* The number of a file's set, which each file has once. */
static int set_number(struct parser *p, const struct token *t, const char *file, uint64_t *number)
{
	struct filter *f = &p->out;
	struct filter_set *at;
	int rc;

	for (*number = 0; *number < f->nsets; ++*number)
		if (!strcmp(f->sets[*number].name, file))
			return 0;
	if (f->nsets == FILTER_SETS_MAX)
		return tree_fail(p, t, "more than %d sets in one filter", FILTER_SETS_MAX);
	at = array_grow(f->sets, f->nsets, &f->set_room, sizeof(*at));
	if (!at) {
		p->nomem = true;
		return -EINVAL; /* which p->nomem outdoes */
	}
	f->sets = at;
	at += f->nsets;
	*at = (struct filter_set){ 0 };
	rc = read_set(p, t, file, at);
	if (rc || p->nomem) {
		set_close(at);
		return -EINVAL;
	}
	f->nsets++;
	return 0;
}

static uint32_t member(struct parser *p, size_t field, uint64_t set)
{
	return tree_add(p, (struct filter_node){
				   .op = FILTER_SET, .field = (uint16_t)field, .value = set });
}

int ext_set(struct parser *p, const struct parse_mark *before, const struct qual *q, uint32_t *out)
{
	struct token t = p->now;
	char name[TOKEN_TEXT_MAX];
	uint32_t src = 0, dst = 0;
	uint64_t set;
	int rc;

	if (q->proto && q->proto->layer != PROTO_NET)
		return tree_fail(p, &before->now, "'%s' has no IP addresses: '%s and set ...'",
				 q->proto->name, q->proto->name);
	rc = raw_name(p, before, name, sizeof(name));
	rc = rc ? rc : set_number(p, &t, name, &set);
	if (rc)
		return rc;
	if (q->dir != DIR_DST)
		src = member(p, offsetof(struct view, src), set);
	if (q->dir != DIR_SRC)
		dst = member(p, offsetof(struct view, dst), set);
	*out = tree_sides(p, q->dir, src, dst);
	if (q->proto)
		*out = tree_and(p, prim_proto(p, q->proto), *out);
	return 0;
}

static int prim_set(struct parser *p, const struct parse_mark *before, uint32_t *out)
{
	static const struct qual either;

	return ext_set(p, before, &either, out);
}

static uint32_t any_iface(struct parser *p, const uint16_t *ports, size_t n)
{
	uint32_t all = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t one = tree_or(p, tree_cmp(p, FIELD(sport), FILTER_EQ, ports[i]),
				       tree_cmp(p, FIELD(dport), FILTER_EQ, ports[i]));

		all = i ? tree_or(p, all, one) : one;
	}
	return all;
}

/* What can be said without a look at the payload stands before the look: all of it is judged in the
 * kernel. */
static uint32_t dns_guard(struct parser *p)
{
	static const uint16_t ports[] = { 53, 5353, 5355 }; /* and multicast DNS, LLMNR */
	uint32_t carried = tree_or(p, tree_cmp(p, FIELD(proto), FILTER_EQ, IPPROTO_UDP),
				   tree_cmp(p, FIELD(proto), FILTER_EQ, IPPROTO_TCP));

	return tree_and(p, tree_and(p, carried, tree_cmp(p, FIELD(payload), FILTER_NE, VIEW_NONE)),
			any_iface(p, ports, sizeof(ports) / sizeof(*ports)));
}

static uint32_t sni_guard(struct parser *p)
{
	return tree_and(p, tree_cmp(p, FIELD(proto), FILTER_EQ, IPPROTO_TCP),
			tree_cmp(p, FIELD(payload), FILTER_NE, VIEW_NONE));
}

/* A name that the packet itself says. */
static int prim_payload_name(struct parser *p, const struct parse_mark *before, uint32_t *out)
{
	bool dns = token_is(&before->now, "dns");
	struct filter *f = &p->out;
	struct token t = p->now;
	struct dns_name *at;
	char name[TOKEN_TEXT_MAX];
	const char *why;
	int rc = raw_name(p, before, name, sizeof(name));

	if (rc)
		return rc;
	at = array_grow(f->names, f->nnames, &f->name_room, sizeof(*at));
	if (!at) {
		p->nomem = true;
		return -EINVAL; /* which p->nomem outdoes */
	}
	f->names = at;
	why = dns_parse_name(&at[f->nnames], name, strlen(name));
	for (const char *c = name; *c && !why; c++)
		if (*c == '*' || *c & 0x80)
			why = *c == '*' ? "names below it match, too: without the '*'"
					: "a name of other letters is written as xn--...";
	if (why)
		return tree_fail(p, &t, "%s", why);
	*out = tree_add(p, (struct filter_node){ .op = dns ? FILTER_DNS : FILTER_SNI,
						 .value = f->nnames++ });
	*out = tree_and(p, dns ? dns_guard(p) : sni_guard(p), *out);
	return 0;
}

static const struct {
	const char *word;
	int (*parse)(struct parser *p, const struct parse_mark *before, uint32_t *out);
} words[] = {
	{ "comm", prim_comm },
	{ "verdict", prim_verdict },
	{ "iface", prim_resolved_id },
	{ "ifname", prim_resolved_id },
	{ "on", prim_resolved_id },
	{ "netns", prim_resolved_id },
	{ "cgroup", prim_resolved_id },
	{ "container", prim_resolved_id },
	{ "set", prim_set },
	{ "dns", prim_payload_name },
	{ "sni", prim_payload_name },
};

bool ext_is_keyword(const struct token *t)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (token_is(t, words[i].word))
			return true;
	return false;
}

int ext_primitive(struct parser *p, const struct parse_mark *before, uint32_t *out)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (token_is(&before->now, words[i].word))
			return words[i].parse(p, before, out);
	return tree_fail(p, &before->now, "not a word of the filter language");
}
