/* SPDX-License-Identifier: MIT */
/* Owners, interfaces, verdicts, sets of addresses, DNS and TLS names. */
#include "filter/ext.h"
#include <errno.h>
#include <linux/in.h>
#include <stdio.h>
#include <string.h>
#include "base/array.h"
#include "base/err.h"
#include "filter/prim.h"

/* Takes the raw word after the keyword. */
static int take_raw_name(struct parser *p, const struct tokens *keyword, char *name, size_t room)
{
	struct token t = tokens_take_raw(&p->in, keyword);

	char what[48];

	if (t.kind != TOKEN_QUOTED || !t.len || t.len >= room) {
		snprintf(what, sizeof(what), "name of at most %zu bytes", room - 1);
		return tree_fail_expected(p, &t, what);
	}
	memcpy(name, t.text, t.len);
	name[t.len] = '\0';
	return 0;
}

static int parse_comm(struct parser *p, const struct tokens *keyword, uint32_t *out)
{
	char name[sizeof(((struct view *)0)->comm)] = "";
	int rc = take_raw_name(p, keyword, name, sizeof(name));

	p->out.needs |= FILTER_NEED_OWNER;
	*out = rc ? 0
		  : tree_bytes(p, offsetof(struct view, comm), (uint8_t *)name, NULL, sizeof(name));
	return rc;
}

static int parse_verdict(struct parser *p, const struct tokens *keyword, uint32_t *out)
{
	struct token t = p->in.tok;
	char name[16];
	int rc = take_raw_name(p, keyword, name, sizeof(name));

	if (rc)
		return rc;
	if (strcmp(name, "drop") && strcmp(name, "pass"))
		return tree_fail(p, &t, "expected 'drop' or 'pass', not '%s'", name);
	*out = tree_cmp(p, FIELD(verdict), FILTER_EQ, *name == 'd' ? VIEW_DROP : VIEW_PASS);
	return 0;
}

/* A name that is resolved on this host; a field is compared with the result. */
static int parse_resolved_id(struct parser *p, const struct tokens *keyword, uint32_t *out)
{
	static const struct filter_names no_names;
	const struct filter_names *names = p->names ? p->names : &no_names;
	const struct {
		const char *word, *what;
		int (*find32)(void *arg, const char *name, uint32_t *id, struct diag *why);
		int (*find64)(void *arg, const char *name, uint64_t *id, struct diag *why);
		size_t field, size;
		unsigned int needs;
	} kinds[] = {
		{ "netns", "network namespace", names->netns, NULL, FIELD(netns),
		  FILTER_NEED_OWNER },
		{ "cgroup", "cgroup", NULL, names->cgroup, FIELD(cgroup), FILTER_NEED_OWNER },
		{ "container", "container", NULL, names->container, FIELD(cgroup),
		  FILTER_NEED_OWNER },
		{ NULL, "interface", names->iface, NULL, FIELD(ifindex), 0 },
	}, *k = kinds;
	struct token t = p->in.tok;
	char name[TOKEN_TEXT_MAX];
	uint64_t id64 = 0;
	uint32_t id32 = 0;
	int rc = take_raw_name(p, keyword, name, sizeof(name));

	if (rc)
		return rc;
	while (k->word && !token_is(&keyword->tok, k->word))
		k++;
	*p->diag->msg = '\0';
	rc = k->find32   ? k->find32(names->arg, name, &id32, p->diag)
	     : k->find64 ? k->find64(names->arg, name, &id64, p->diag)
			 : -ENOENT;
	if (rc)
		return tree_fail_lookup(p, &t, k->what, name);
	p->out.needs |= k->needs;
	*out = tree_cmp(p, k->field, k->size, FILTER_EQ, id32 | id64);
	return 0;
}

/* Reads and parses the file. Errors in its text go to *diag, others to p->diag. */
static int read_set_file(struct parser *p, const char *file, struct filter_set *set,
			 struct diag *diag)
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

static int load_set(struct parser *p, const struct token *t, const char *file,
		    struct filter_set *set)
{
	struct diag diag = { 0 };
	int rc = 0;

	*p->diag->msg = '\0';
	if (p->names && p->names->known_set)
		rc = p->names->known_set(p->names->arg, file, set);
	if (!rc)
		rc = read_set_file(p, file, set, &diag);
	if (rc > 0)
		rc = 0;
	p->nomem |= rc == -ENOMEM;
	set->name = strdup(file);
	p->nomem |= !set->name;
	if (*diag.msg)
		return tree_fail(p, t, "%s:%s", file, diag.msg);
	return rc ? tree_fail_lookup(p, t, "set of addresses", file) : 0;
}

/* Returns the number of the file's set in the filter. Loads each file once. */
static int find_or_load_set(struct parser *p, const struct token *t, const char *file,
			    uint64_t *number)
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
		return -EINVAL; /* filter_parse() looks at p->nomem first */
	}
	f->sets = at;
	at += f->nsets;
	*at = (struct filter_set){ 0 };
	rc = load_set(p, t, file, at);
	if (rc || p->nomem) {
		set_close(at);
		return -EINVAL;
	}
	f->nsets++;
	return 0;
}

static uint32_t add_member(struct parser *p, size_t field, uint64_t set)
{
	return tree_add(p, (struct filter_node){
				   .op = FILTER_SET, .field = (uint16_t)field, .value = set });
}

int ext_parse_set(struct parser *p, const struct tokens *keyword, const struct qual *q,
		  uint32_t *out)
{
	struct token t = p->in.tok;
	char name[TOKEN_TEXT_MAX];
	uint32_t src = 0, dst = 0;
	uint64_t set;
	int rc;

	if (q->proto && q->proto->layer != PROTO_NET)
		return tree_fail(p, &keyword->tok, "'%s' has no IP addresses: use '%s and set ...'",
				 q->proto->name, q->proto->name);
	rc = take_raw_name(p, keyword, name, sizeof(name));
	if (!rc)
		rc = find_or_load_set(p, &t, name, &set);
	if (rc)
		return rc;
	if (q->dir != DIR_DST)
		src = add_member(p, offsetof(struct view, src), set);
	if (q->dir != DIR_SRC)
		dst = add_member(p, offsetof(struct view, dst), set);
	*out = tree_src_dst(p, q->dir, src, dst);
	if (q->proto)
		*out = tree_and(p, prim_proto(p, q->proto), *out);
	return 0;
}

static int parse_set(struct parser *p, const struct tokens *keyword, uint32_t *out)
{
	static const struct qual either;

	return ext_parse_set(p, keyword, &either, out);
}

static uint32_t add_any_port(struct parser *p, const uint16_t *ports, size_t n)
{
	uint32_t all = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t one = tree_or(p, tree_cmp(p, FIELD(sport), FILTER_EQ, ports[i]),
				       tree_cmp(p, FIELD(dport), FILTER_EQ, ports[i]));

		all = i ? tree_or(p, all, one) : one;
	}
	return all;
}

/* Conditions ahead of the one that reads the payload: these the kernel evaluates. */
static uint32_t add_dns_guard(struct parser *p)
{
	static const uint16_t ports[] = { 53, 5353, 5355 }; /* and multicast DNS, LLMNR */
	uint32_t carried = tree_or(p, tree_cmp(p, FIELD(proto), FILTER_EQ, IPPROTO_UDP),
				   tree_cmp(p, FIELD(proto), FILTER_EQ, IPPROTO_TCP));

	return tree_and(p, tree_and(p, carried, tree_cmp(p, FIELD(payload), FILTER_NE, VIEW_NONE)),
			add_any_port(p, ports, ARRAY_LEN(ports)));
}

static uint32_t add_sni_guard(struct parser *p)
{
	return tree_and(p, tree_cmp(p, FIELD(proto), FILTER_EQ, IPPROTO_TCP),
			tree_cmp(p, FIELD(payload), FILTER_NE, VIEW_NONE));
}

/* A name that is looked for in the payload. */
static int parse_payload_name(struct parser *p, const struct tokens *keyword, uint32_t *out)
{
	bool dns = token_is(&keyword->tok, "dns");
	struct filter *f = &p->out;
	struct token t = p->in.tok;
	struct dns_name *at;
	char name[TOKEN_TEXT_MAX];
	const char *why;
	int rc = take_raw_name(p, keyword, name, sizeof(name));

	if (rc)
		return rc;
	at = array_grow(f->names, f->nnames, &f->name_room, sizeof(*at));
	if (!at) {
		p->nomem = true;
		return -EINVAL; /* filter_parse() looks at p->nomem first */
	}
	f->names = at;
	why = dns_parse_name(&at[f->nnames], name, strlen(name));
	for (const char *c = name; *c && !why; c++)
		if (*c == '*' || *c & 0x80)
			why = *c == '*' ? "'*' is not needed: names below a name match, too"
					: "non-ASCII name: use its xn--... form";
	if (why)
		return tree_fail(p, &t, "%s", why);
	*out = tree_add(p, (struct filter_node){ .op = dns ? FILTER_DNS : FILTER_SNI,
						 .value = f->nnames++ });
	*out = tree_and(p, dns ? add_dns_guard(p) : add_sni_guard(p), *out);
	return 0;
}

static const struct {
	const char *word;
	int (*parse)(struct parser *p, const struct tokens *keyword, uint32_t *out);
} keywords[] = {
	{ "comm", parse_comm },
	{ "verdict", parse_verdict },
	{ "iface", parse_resolved_id },
	{ "ifname", parse_resolved_id },
	{ "on", parse_resolved_id },
	{ "netns", parse_resolved_id },
	{ "cgroup", parse_resolved_id },
	{ "container", parse_resolved_id },
	{ "set", parse_set },
	{ "dns", parse_payload_name },
	{ "sni", parse_payload_name },
};

bool ext_is_keyword(const struct token *t)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (token_is(t, keywords[i].word))
			return true;
	return false;
}

int ext_parse_keyword(struct parser *p, const struct tokens *keyword, uint32_t *out)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (token_is(&keyword->tok, keywords[i].word))
			return keywords[i].parse(p, keyword, out);
	return tree_fail(p, &keyword->tok, "unknown filter keyword");
}
