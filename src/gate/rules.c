/* SPDX-License-Identifier: MIT */
/* Parses lines of rules word by word, up to the expression, which the filter parser reads. */
#include "gate/rules.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/opt.h"

/* A line that is being parsed. */
struct rule_line {
	const char *text, *at, *end; /* the whole text; the next word; the line's end */
	unsigned int number;
	struct diag *diag;
};

static int diag_line(struct rule_line *l, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int diag_line(struct rule_line *l, const char *at, const char *fmt, ...)
{
	const char *start = at;
	char words[sizeof(l->diag->msg) - 24];
	va_list ap;

	while (start > l->text && start[-1] != '\n')
		start--;
	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	l->diag->pos = (size_t)(at - l->text);
	snprintf(l->diag->msg, sizeof(l->diag->msg), "%u:%zu: %s", l->number,
		 (size_t)(at - start) + 1, words);
	return -EINVAL;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Reads the next word. Returns false at the end of the line. */
static bool next_word(struct rule_line *l, const char **at, size_t *len)
{
	while (l->at < l->end && is_space(*l->at))
		l->at++;
	*at = l->at;
	while (l->at < l->end && !is_space(*l->at))
		l->at++;
	*len = (size_t)(l->at - *at);
	return *len != 0;
}

static bool word_is(const char *at, size_t len, const char *with)
{
	return strlen(with) == len && !memcmp(at, with, len);
}

/* Reads the id at the start of a line: the only word that starts with a digit there. */
static int parse_id(struct rule_line *l, struct rule *rule)
{
	const char *before = l->at, *at;
	char digits[8] = "";
	uint32_t id;
	size_t len;

	if (!next_word(l, &at, &len) || *at < '0' || *at > '9') {
		l->at = before;
		return 0;
	}
	if (len < sizeof(digits))
		memcpy(digits, at, len);
	if (parse_u32(digits, 1, RULE_DEFAULT_ID - 1, &id))
		return diag_line(l, at, "a rule's id is a number from 1 to %d",
				 RULE_DEFAULT_ID - 1);
	rule->id = (uint16_t)id;
	return 0;
}

static void parse_dir(struct rule_line *l, struct rule *rule)
{
	const char *before = l->at, *at;
	size_t len;

	if (next_word(l, &at, &len) && (word_is(at, len, "in") || word_is(at, len, "out")))
		rule->dir = word_is(at, len, "out") ? GATE_OUT : GATE_IN;
	else
		l->at = before;
}

static int parse_action(struct rule_line *l, bool *drops)
{
	const char *at;
	size_t len;

	if (!next_word(l, &at, &len))
		return diag_line(l, at, "missing action: allow or drop");
	*drops = word_is(at, len, "drop");
	if (!*drops && !word_is(at, len, "allow") && !word_is(at, len, "pass"))
		return diag_line(l, at, "%.*s: unknown action: use allow or drop", (int)len, at);
	return 0;
}

static int parse_name(struct rule_line *l, struct rule *rule)
{
	const char *before = l->at, *at;
	size_t len;

	if (!next_word(l, &at, &len) || !word_is(at, len, "name")) {
		l->at = before;
		return 0;
	}
	if (!next_word(l, &at, &len))
		return diag_line(l, at, "missing name");
	if (len >= sizeof(rule->name) || (*at >= '0' && *at <= '9'))
		return diag_line(
			l, at, "a rule's name has at most %d bytes and does not start with a digit",
			RULE_NAME_MAX - 1);
	memcpy(rule->name, at, len);
	return 0;
}

const char *rules_unsupported(const struct filter *f)
{
	if (f->needs & FILTER_NEED_OWNER)
		return "rules cannot match processes (pid, comm, cgroup, container)";
	for (size_t i = 0; i < f->n; i++) {
		const struct filter_node *n = &f->nodes[i];

		if (n->op == FILTER_DNS || n->op == FILTER_SNI)
			return "rules cannot match names in packets (dns, sni)";
		if (n->op == FILTER_FIELD && n->field == offsetof(struct view, verdict))
			return "rules cannot match the verdict: they decide it";
	}
	return NULL;
}

static int parse_expr(struct rule_line *l, struct rule *rule, const struct filter_names *names)
{
	struct diag diag = { 0 };
	const char *why;
	int rc;

	while (l->at < l->end && is_space(*l->at))
		l->at++;
	while (l->end > l->at && is_space(l->end[-1]))
		l->end--;
	rule->expr = strndup(l->at, (size_t)(l->end - l->at));
	if (!rule->expr)
		return -ENOMEM;
	if (!*rule->expr)
		return 0;
	rc = filter_parse(&rule->filter, rule->expr, names, &diag);
	if (rc == -EINVAL)
		return diag_line(l, l->at + diag.pos, "%s", diag.msg);
	why = rc ? NULL : rules_unsupported(&rule->filter);
	return why ? diag_line(l, l->at, "%s", why) : rc;
}

static int append_rule(struct rules *r, const struct rule *rule)
{
	void *more = array_grow(r->at, r->n, &r->room, sizeof(*r->at));

	if (!more)
		return -ENOMEM;
	r->at = more;
	r->at[r->n++] = *rule;
	return 0;
}

static void rule_close(struct rule *rule)
{
	filter_close(&rule->filter);
	free(rule->expr);
}

/* Refuses a second rule with the same id or name: users refer to rules by either. */
static int check_unique(struct rule_line *l, const char *at, const struct rules *r,
			const struct rule *rule)
{
	for (size_t i = 0; i < r->n; i++) {
		if (rule->id && r->at[i].id == rule->id)
			return diag_line(l, at, "rule %u already exists", rule->id);
		if (*rule->name && !strcmp(r->at[i].name, rule->name))
			return diag_line(l, at, "rule %s already exists", rule->name);
	}
	return 0;
}

static int parse_default(struct rule_line *l, struct rules *r, enum gate_dir dir)
{
	const char *at;
	bool drops;
	size_t len;
	int rc = parse_action(l, &drops);

	if (rc)
		return rc;
	if (next_word(l, &at, &len))
		return diag_line(l, at, "%.*s: unexpected word after the default", (int)len, at);
	r->drops[dir] = drops;
	return 0;
}

static int parse_line(struct rule_line *l, struct rules *r, enum gate_dir dir,
		      const struct filter_names *names)
{
	struct rule rule = { .dir = (uint8_t)dir };
	const char *before, *at, *start;
	size_t len;
	int rc;

	if (!next_word(l, &start, &len))
		return 0;
	l->at = start;
	rc = parse_id(l, &rule);
	if (rc)
		return rc;
	parse_dir(l, &rule);
	before = l->at;
	if (next_word(l, &at, &len) && word_is(at, len, "default"))
		return parse_default(l, r, rule.dir);
	l->at = before;
	rc = parse_action(l, &rule.drops);
	if (!rc)
		rc = parse_name(l, &rule);
	if (!rc)
		rc = check_unique(l, start, r, &rule);
	if (!rc)
		rc = parse_expr(l, &rule, names);
	if (!rc)
		rc = append_rule(r, &rule);
	if (rc)
		rule_close(&rule);
	return rc;
}

int rules_parse(struct rules *r, const char *text, size_t len, enum gate_dir dir,
		const struct filter_names *names, struct diag *diag)
{
	struct rule_line l = { .text = text, .at = text, .diag = diag };
	const struct rules before = *r;
	const char *end = text + len;
	int rc = 0;

	while (l.at < end && !rc) {
		const char *next = memchr(l.at, '\n', (size_t)(end - l.at)), *comment;

		next = next ? next : end;
		l.number++;
		l.end = next;
		comment = memchr(l.at, '#', (size_t)(next - l.at));
		if (comment)
			l.end = comment;
		if (memchr(l.at, 0, (size_t)(next - l.at)))
			rc = diag_line(&l, l.at, "not a text file: it contains a NUL byte");
		else
			rc = parse_line(&l, r, dir, names);
		l.at = next + 1;
	}
	while (rc && r->n > before.n)
		rules_remove(r, r->n - 1);
	if (rc)
		memcpy(r->drops, before.drops, sizeof(r->drops));
	return rc;
}

void rule_print(const struct rule *rule, struct buf *out)
{
	if (rule->id)
		buf_printf(out, "%u ", rule->id);
	buf_printf(out, "%s %s", rule->dir == GATE_IN ? "in" : "out",
		   rule->drops ? "drop" : "allow");
	if (*rule->name)
		buf_printf(out, " name %s", rule->name);
	if (*rule->expr)
		buf_printf(out, " %s", rule->expr);
}

void rules_print(const struct rules *r, enum gate_dir dir, struct buf *out)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->at[i].dir == dir) {
			rule_print(&r->at[i], out);
			buf_char(out, '\n');
		}
	if (r->drops[dir])
		buf_printf(out, "%s default drop\n", dir == GATE_IN ? "in" : "out");
}

bool rules_has_id(const struct rules *r, uint16_t id)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->at[i].id == id)
			return true;
	return false;
}

int rules_assign_ids(struct rules *r, uint16_t last)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->at[i].id > last)
			last = r->at[i].id;
	for (size_t i = 0; i < r->n; i++) {
		/* Ids of removed rules are used again only when there are no others. */
		uint16_t id = (uint16_t)(last + 1);

		if (r->at[i].id)
			continue;
		if (id >= RULE_DEFAULT_ID)
			for (id = 1; id < RULE_DEFAULT_ID && rules_has_id(r, id);)
				id++;
		if (id >= RULE_DEFAULT_ID)
			return -E2BIG;
		r->at[i].id = id;
		last = id > last ? id : last;
	}
	return 0;
}

struct rule *rules_find(const struct rules *r, const char *id_or_name)
{
	uint32_t id = 0;

	if (parse_u32(id_or_name, 1, RULE_DEFAULT_ID - 1, &id))
		id = 0;
	for (size_t i = 0; i < r->n; i++)
		if (id ? r->at[i].id == id : *id_or_name && !strcmp(r->at[i].name, id_or_name))
			return &r->at[i];
	return NULL;
}

void rules_remove(struct rules *r, size_t i)
{
	rule_close(&r->at[i]);
	memmove(&r->at[i], &r->at[i + 1], (--r->n - i) * sizeof(*r->at));
}

void rules_move_last(struct rules *r, size_t i)
{
	struct rule last = r->at[r->n - 1];

	memmove(&r->at[i + 1], &r->at[i], (r->n - 1 - i) * sizeof(*r->at));
	r->at[i] = last;
}

size_t rules_count(const struct rules *r, enum gate_dir dir)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->at[i].dir == dir;
	return n;
}

static bool is_exempt(const struct filter_packet *p)
{
	struct filter f = { 0 };
	struct diag diag;
	bool is = !filter_parse(&f, RULES_EXEMPT, NULL, &diag) && filter_match(&f, p);

	filter_close(&f);
	return is;
}

bool rules_drops_packet(const struct rules *r, enum gate_dir dir, const struct filter_packet *p,
			const struct rule **rule)
{
	*rule = NULL;
	for (size_t i = 0; i < r->n; i++)
		if (r->at[i].dir == dir && filter_match(&r->at[i].filter, p)) {
			*rule = &r->at[i];
			return r->at[i].drops;
		}
	return r->drops[dir] && !is_exempt(p);
}

void rules_close(struct rules *r)
{
	while (r->n)
		rules_remove(r, r->n - 1);
	free(r->at);
	*r = (struct rules){ 0 };
}
