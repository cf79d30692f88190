/* SPDX-License-Identifier: MIT */
/* Limits: from text to buckets and back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/array.h"
#include "base/clock.h"
#include "base/opt.h"
#include "guard/guard.h"
#include "sys/jiffies.h"

enum {
	LINES_DEFAULT = 8192,
	IDLE_MIN = 4,
	IDLE_MAX = 40000, /* the table's clock of seconds wraps at 65536 */
	SKETCH_MIN_MAX = 32,
	SKETCH_MIN_NEVER = 0x7fff,
	FRAME_MAX = 65536,
};

static const uint64_t full_max = 1ull << 60;

static const struct {
	const char *name;
	uint8_t key, family;
} keys[] = {
	{ "src", GUARD_SRC, 0 },           { "src4", GUARD_SRC, 4 }, { "src6", GUARD_SRC, 6 },
	{ "dst", GUARD_DST, 0 },           { "dst4", GUARD_DST, 4 }, { "dst6", GUARD_DST, 6 },
	{ "src+port", GUARD_SRC_PORT, 0 },
};

static const struct {
	const char *name;
	uint8_t unit;
	uint64_t times;
} units[] = {
	{ "packets", GUARD_PACKETS, 1 },    { "syns", GUARD_SYNS, 1 },
	{ "connections", GUARD_CONNS, 1 },  { "bit", GUARD_BITS, 1 },
	{ "kbit", GUARD_BITS, 1000 },       { "Mbit", GUARD_BITS, 1000000 },
	{ "Gbit", GUARD_BITS, 1000000000 },
};

static const struct {
	char per;
	uint64_t seconds;
} pers[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 } };

/* A text that is read word by word. */
struct word_reader {
	const char *text;
	size_t len, at;
	char word[32]; /* the current word; "": none */
	size_t word_pos;
};

static void next_word(struct word_reader *w)
{
	size_t n = 0;

	while (w->at < w->len && strchr(" \t", w->text[w->at]))
		w->at++;
	w->word_pos = w->at;
	for (; w->at < w->len && !strchr(" \t", w->text[w->at]); w->at++)
		if (n < sizeof(w->word) - 1)
			w->word[n++] = w->text[w->at];
	w->word[n] = '\0';
}

static int diag_word(struct diag *diag, const struct word_reader *w, const char *words)
{
	diag->pos = w->word_pos;
	if (*w->word)
		snprintf(diag->msg, sizeof(diag->msg), "%s: %s", w->word, words);
	else
		snprintf(diag->msg, sizeof(diag->msg), "%s", words);
	return -EINVAL;
}

/* Parses a whole number, with k, M, G for thousands. Stores in *end what follows it. Returns false
 * if there is no number, or if it is too large. */
static bool parse_number(const char *s, __u64 *n, const char **end)
{
	static const char thousands[] = "kMG";
	const char *more;
	char *after;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*n = strtoull(s, &after, 10);
	if (errno || *n > 1000000000000ull)
		return false;
	more = *after ? strchr(thousands, *after) : NULL;
	for (const char *t = thousands; more && t <= more; t++)
		*n *= 1000;
	*end = after + (more != NULL);
	return true;
}

static void set_bits(struct guard_scope *s, uint8_t bits4, uint8_t bits6)
{
	uint8_t bytes[16] = { 0 };

	for (int i = 0; i < bits6; i++)
		bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	memcpy(s->mask, bytes, sizeof(bytes));
	memset(bytes, 0, sizeof(bytes));
	for (int i = 0; i < bits4; i++)
		bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	memcpy(&s->mask4, bytes, sizeof(s->mask4));
	s->bits4 = bits4;
	s->bits6 = bits6;
}

/* Reads the key, a word such as "src/24". Without one the limit is on sources. */
static int read_key(struct guard_scope *s, struct word_reader *w, struct diag *diag)
{
	size_t len = strcspn(w->word, "/"), k = 0;
	uint32_t bits = 0;

	*s = (struct guard_scope){ .key = GUARD_SRC };
	set_bits(s, 32, 64);
	while (k < ARRAY_LEN(keys) &&
	       (strlen(keys[k].name) != len || strncmp(keys[k].name, w->word, len)))
		k++;
	if (k == ARRAY_LEN(keys))
		return *w->word >= '0' && *w->word <= '9'
			       ? 0
			       : diag_word(diag, w,
					   "a limit is [KEY] RATE [burst N] [count|limit|ban "
					   "TIME]; KEY is src, dst or src+port");
	s->key = keys[k].key;
	s->family = keys[k].family;
	if (s->key != GUARD_SRC)
		set_bits(s, 32, 128);
	if (w->word[len]) {
		if (!s->family)
			s->family = 4;
		if (parse_u32(w->word + len + 1, 1, s->family == 4 ? 32 : 128, &bits))
			return diag_word(
				diag, w,
				"invalid prefix length (src/1 to src/32, src6/1 to src6/128)");
	}
	if (s->family)
		set_bits(s,
			 s->family == 6 ? 0
			 : bits         ? (uint8_t)bits
					: s->bits4,
			 s->family == 4 ? 0
			 : bits         ? (uint8_t)bits
					: s->bits6);
	next_word(w);
	return 0;
}

/* Reads "1000 packets/s" or "10 Mbit/s". "100 connections" limits open ones. */
static int read_rate(struct guard_limit *l, struct word_reader *w, uint64_t *seconds,
		     struct diag *diag)
{
	const char *end;
	size_t len, u = 0, p = 0;

	if (!parse_number(w->word, &l->rate, &end) || *end || !l->rate)
		return diag_word(diag, w,
				 "expected a rate: a number above 0 of packets/s, bit/s, syns/s "
				 "or connections/s");
	next_word(w);
	len = strcspn(w->word, "/");
	while (u < ARRAY_LEN(units) &&
	       (strlen(units[u].name) != len || strncmp(units[u].name, w->word, len)))
		u++;
	if (u == ARRAY_LEN(units))
		return diag_word(diag, w,
				 "expected a unit: packets, syns, connections, bit, kbit, Mbit or "
				 "Gbit with /s, /m or /h");
	if (units[u].unit == GUARD_CONNS && !w->word[len]) {
		l->unit = GUARD_OPEN;
		next_word(w);
		return 0;
	}
	while (p < ARRAY_LEN(pers) &&
	       (w->word[len] != '/' || w->word[len + 1] != pers[p].per || w->word[len + 2]))
		p++;
	if (p == ARRAY_LEN(pers))
		return diag_word(diag, w, "a rate ends with /s, /m or /h");
	l->rate *= units[u].times;
	l->unit = units[u].unit;
	l->per = (uint8_t)pers[p].per;
	*seconds = pers[p].seconds;
	next_word(w);
	return 0;
}

static int read_burst(struct guard_limit *l, struct word_reader *w, struct diag *diag)
{
	const char *end;

	next_word(w);
	if (!parse_number(w->word, &l->burst, &end) || *end || !l->burst)
		return diag_word(diag, w, "a burst is a number above 0");
	next_word(w);
	for (size_t u = 0; u < ARRAY_LEN(units) && *w->word; u++) {
		if (strcmp(units[u].name, w->word))
			continue;
		if (units[u].unit != l->unit)
			return diag_word(diag, w, "the burst and the rate have different units");
		l->burst *= units[u].times;
		next_word(w);
		break;
	}
	return 0;
}

static int read_action(struct guard_limit *l, struct word_reader *w, struct diag *diag)
{
	uint64_t ns;

	l->action = GUARD_LIMIT;
	if (!strcmp(w->word, "count")) {
		l->action = GUARD_COUNT;
	} else if (!strcmp(w->word, "ban")) {
		next_word(w);
		if (parse_time(w->word, &ns))
			return diag_word(diag, w,
					 "a ban needs a duration (examples: 60s, 10m, 1h)");
		l->action = GUARD_BAN;
		l->ban = guard_ticks_from_ns(ns);
	} else if (strcmp(w->word, "limit")) {
		return *w->word ? diag_word(diag, w,
					    l->unit == GUARD_OPEN
						    ? "expected count, limit or ban"
						    : "expected burst, count, limit or ban")
				: 0;
	}
	next_word(w);
	return *w->word ? diag_word(diag, w, "unexpected word after the limit") : 0;
}

/* Converts rate and burst to guard time (bpf/guard.h). A rate in bits is charged in bytes. */
static int fill_bucket(struct guard_limit *l, const struct word_reader *w, uint64_t seconds,
		       struct diag *diag)
{
	uint64_t each = l->unit == GUARD_BITS ? 8 : 1, burst;

	if (l->unit == GUARD_OPEN) {
		l->full = l->rate;
		return 0;
	}
	if (!l->burst)
		l->burst = l->rate;
	if (l->unit == GUARD_BITS && l->burst < FRAME_MAX * 8)
		l->burst = FRAME_MAX * 8;
	burst = l->burst / each;
	l->cost = ((seconds * NS_PER_S << GUARD_TIME_SHIFT) * each + l->rate / 2) / l->rate;
	if (!l->cost)
		return diag_word(diag, w, "the rate is too high for a limit");
	if (burst > full_max / l->cost)
		return diag_word(diag, w, "the burst would take more than 13 days to fill");
	l->full = l->cost * burst;
	return 0;
}

/* Adds a limit to its scope. A limit of open connections is the last one there. */
static int insert_limit(struct guard_scope *scope, struct guard_limit l,
			const struct word_reader *w, struct diag *diag)
{
	uint8_t n = scope->nlimits;
	bool has_open = n && scope->limits[n - 1].unit == GUARD_OPEN;

	if (has_open && l.unit == GUARD_OPEN)
		return diag_word(diag, w,
				 "at most one limit of open connections for a kind of key");
	if (l.unit != GUARD_OPEN && n - has_open == GUARD_OPEN_INDEX)
		return diag_word(diag, w,
				 "at most 3 limits for a kind of key, and one of open connections");
	if (has_open) {
		scope->limits[n] = scope->limits[n - 1];
		n--;
	}
	scope->limits[n] = l;
	scope->nlimits++;
	return 0;
}

static int add_limit(struct guard_plan *p, const struct guard_scope *scope, struct guard_limit l,
		     const struct word_reader *w, struct diag *diag)
{
	struct guard_conf *c = &p->conf;
	unsigned int total = 0, s = 0;

	for (int i = 0; i < c->nscopes; i++)
		total += c->scopes[i].nlimits;
	while (s < c->nscopes &&
	       (c->scopes[s].key != scope->key || c->scopes[s].bits4 != scope->bits4 ||
		c->scopes[s].bits6 != scope->bits6))
		s++;
	if (total == GUARD_LIMITS_MAX)
		return diag_word(diag, w, "at most 8 limits");
	if (s == GUARD_SCOPES_MAX)
		return diag_word(diag, w, "at most 4 kinds of keys, with the sources");
	if (s == c->nscopes)
		c->scopes[c->nscopes++] = *scope;
	l.number = (uint8_t)total;
	c->conns |= l.unit >= GUARD_CONNS;
	return insert_limit(&c->scopes[s], l, w, diag);
}

int guard_plan_add_limit(struct guard_plan *p, const char *text, size_t len, struct diag *diag)
{
	struct word_reader w = { .text = text, .len = len };
	struct guard_scope scope;
	struct guard_limit l = { 0 };
	uint64_t seconds = 1;
	int rc;

	next_word(&w);
	rc = read_key(&scope, &w, diag);
	if (!rc)
		rc = read_rate(&l, &w, &seconds, diag);
	if (!rc && !strcmp(w.word, "burst") && l.unit != GUARD_OPEN)
		rc = read_burst(&l, &w, diag);
	if (!rc)
		rc = read_action(&l, &w, diag);
	w.word[0] = '\0';
	if (!rc)
		rc = fill_bucket(&l, &w, seconds, diag);
	return rc ? rc : add_limit(p, &scope, l, &w, diag);
}

int guard_plan_parse_file(struct guard_plan *p, const char *text, size_t len, struct diag *diag)
{
	unsigned int number = 1;

	for (size_t at = 0; at < len; number++) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - text) - at : len - at, use = n;
		const char *comment = memchr(text + at, '#', n);
		struct diag line = { 0 };

		if (comment)
			use = (size_t)(comment - text) - at;
		while (use && strchr(" \t\r", text[at + use - 1]))
			use--;
		if (use && guard_plan_add_limit(p, text + at, use, &line)) {
			diag->pos = at + line.pos;
			snprintf(diag->msg, sizeof(diag->msg), "%u:%u: %.120s", number,
				 (unsigned int)line.pos + 1, line.msg);
			return -EINVAL;
		}
		at += n + 1;
	}
	return 0;
}

int guard_plan_add_allow(struct guard_plan *p, const char *expr, const struct filter_names *names,
			 struct diag *diag)
{
	struct buf marked = { 0 };
	int rc;

	if (p->nfilters == GUARD_ALLOW_MAX) {
		snprintf(diag->msg, sizeof(diag->msg), "at most %d expressions", GUARD_ALLOW_MAX);
		return -EINVAL;
	}
	rc = filter_parse(&p->filters[p->nfilters], expr, names, diag);
	if (rc)
		return rc;
	filter_close(&p->filters[p->nfilters]);
	buf_printf(&marked, "%s and (%s)", GUARD_QUERY, expr);
	buf_char(&marked, '\0');
	rc = marked.nomem ? -ENOMEM
			  : filter_parse(&p->filters[p->nfilters], marked.data, names, diag);
	buf_free(&marked);
	if (rc)
		return rc;
	p->nfilters++;
	buf_printf(&p->allow, "%s\n", expr);
	return p->allow.nomem ? -ENOMEM : 0;
}

int guard_plan_open(struct guard_plan *p)
{
	*p = (struct guard_plan){ .conf = { .nscopes = 1, .lines = LINES_DEFAULT - 1 } };
	set_bits(&p->conf.scopes[0], 32, 64);
	p->conf.ban_decay = guard_ticks_from_ns(60 * NS_PER_S);
	p->conf.ban_max = guard_ticks_from_ns(24 * 3600 * NS_PER_S);
	return getrandom(p->conf.seed, sizeof(p->conf.seed), 0) == sizeof(p->conf.seed) ? 0
											: -errno;
}

void guard_plan_clear_allow(struct guard_plan *p)
{
	while (p->nfilters)
		filter_close(&p->filters[--p->nfilters]);
	buf_free(&p->allow);
}

void guard_plan_close(struct guard_plan *p)
{
	guard_plan_clear_allow(p);
	*p = (struct guard_plan){ 0 };
}

static uint16_t clamp_minimum(uint64_t a, uint64_t b, uint16_t max)
{
	uint64_t n = a < b ? a : b;

	return (uint16_t)(n < 1 ? 1 : n > max ? max : n);
}

/* Sets how much the sketch may let pass before a key gets an entry: half of what a limit allows in
 * a second, an eighth of its burst. */
static void set_sketch_minimums(struct guard_scope *s)
{
	bool any = !s->nlimits;

	s->sketch_min_packets = 2 * SKETCH_MIN_MAX;
	s->sketch_min_syns = s->sketch_min_blocks = SKETCH_MIN_NEVER;
	for (int i = 0; i < s->nlimits; i++) {
		const struct guard_limit *l = &s->limits[i];
		bool conns = l->unit >= GUARD_CONNS; /* the sketch does not count these */
		uint64_t rate = conns ? 0 : (NS_PER_S << GUARD_TIME_SHIFT) / l->cost / 2;
		uint64_t burst = conns ? 0 : l->full / l->cost / 8;
		uint16_t *to = l->unit == GUARD_PACKETS ? &s->sketch_min_packets
			       : l->unit == GUARD_SYNS  ? &s->sketch_min_syns
							: &s->sketch_min_blocks;
		uint16_t n = l->unit == GUARD_BITS ? clamp_minimum(rate / 64, burst / 64, 0x3fff)
						   : clamp_minimum(rate, burst, SKETCH_MIN_MAX);

		if (!conns && n < *to)
			*to = n;
		any |= !conns;
	}
	/* If only connections are limited, packets alone create no entry: their sources may be
	 * forged. */
	if (!any)
		s->sketch_min_packets = UINT16_MAX;
}

int guard_plan_finish(struct guard_plan *p, const struct guard_conf *before)
{
	struct guard_conf *c = &p->conf;
	uint64_t now, hz, idle, max_full = 0, min_full = UINT64_MAX;

	for (int i = 0; i < c->nscopes; i++) {
		struct guard_scope *s = &c->scopes[i];

		c->ports |= s->key == GUARD_SRC_PORT;
		set_sketch_minimums(s);
		for (int j = 0; j < s->nlimits; j++) {
			uint64_t full = s->limits[j].full;

			if (s->limits[j].unit == GUARD_OPEN)
				continue;
			max_full = full > max_full ? full : max_full;
			min_full = full < min_full ? full : min_full;
		}
	}
	/* A replaced entry's buckets are lost. They must be full again before it is idle. */
	idle = (max_full >> (GUARD_TIME_SHIFT + GUARD_SECOND_SHIFT)) + 2;
	c->idle = (uint32_t)(idle < IDLE_MIN ? IDLE_MIN : idle > IDLE_MAX ? IDLE_MAX : idle);
	if (before)
		memcpy(c->seed, before->seed, sizeof(c->seed));
	/* The coarse clock advances once a jiffy. Use it where a jiffy is a small part of every
	 * burst. */
	if (jiffies_read(&now, &hz) || !hz || min_full / 25 < (NS_PER_S << GUARD_TIME_SHIFT) / hz)
		return 0;
	c->jiffy = (NS_PER_S << GUARD_TIME_SHIFT) / hz;
	c->epoch = before && before->jiffy ? before->epoch
					   : (clock_mono() << GUARD_TIME_SHIFT) - now * c->jiffy;
	return 0;
}

static void print_amount(const struct guard_limit *l, uint64_t n, const char *tail, struct buf *out)
{
	size_t u = 0, best;

	while (units[u].unit != l->unit)
		u++;
	best = u;
	for (; u < ARRAY_LEN(units); u++)
		if (units[u].unit == l->unit && !(n % units[u].times))
			best = u;
	buf_printf(out, "%llu%s%s%s", (unsigned long long)(n / units[best].times),
		   *tail || l->unit == GUARD_BITS ? " " : "",
		   *tail || l->unit == GUARD_BITS ? units[best].name : "", tail);
}

void guard_print_limit(const struct guard_scope *scope, const struct guard_limit *limit,
		       struct buf *out)
{
	static const char *const actions[] = { "count", "limit", "ban" };
	char per[3] = { '/', (char)limit->per };
	bool usual6 = scope->bits6 == (scope->key == GUARD_SRC ? 64 : 128);

	buf_str(out, scope->key == GUARD_DST        ? "dst"
		     : scope->key == GUARD_SRC_PORT ? "src+port"
						    : "src");
	if (scope->family == 4 && scope->bits4 != 32)
		buf_printf(out, "/%u", scope->bits4);
	else if (scope->family)
		buf_printf(out, "%u", scope->family);
	if (scope->family == 6 && !usual6)
		buf_printf(out, "/%u", scope->bits6);
	buf_char(out, ' ');
	if (limit->unit == GUARD_OPEN) {
		buf_printf(out, "%llu connections", (unsigned long long)limit->rate);
	} else {
		print_amount(limit, limit->rate, per, out);
		buf_str(out, " burst ");
		print_amount(limit, limit->burst, "", out);
	}
	buf_printf(out, " %s", actions[limit->action]);
	if (limit->action == GUARD_BAN)
		buf_printf(out, " %.0fs", guard_seconds((int32_t)limit->ban));
}

const struct guard_limit *guard_find_limit(const struct guard_conf *conf, uint8_t number,
					   const struct guard_scope **scope)
{
	for (int i = 0; i < conf->nscopes; i++)
		for (int j = 0; j < conf->scopes[i].nlimits; j++)
			if (conf->scopes[i].limits[j].number == number) {
				*scope = &conf->scopes[i];
				return &conf->scopes[i].limits[j];
			}
	return NULL;
}
