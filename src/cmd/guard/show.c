/* SPDX-License-Identifier: MIT */
/* sonde guard status and list: show the limits' counters and the banned sources. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/clock.h"
#include "base/err.h"
#include "cmd/guard/guard.h"
#include "sys/wait.h"

#define O struct guard_opts
static const struct opt show_rows[] = { GATE_ROWS_WHERE(O), OPT_ROWS_OUTPUT(O), { 0 } };
static const struct opt_spec status_spec = {
	.command = "guard status",
	.usage = "[OPTIONS]",
	.about = "show the limits, what exceeded them, and the table\n"
		 "Exits with 1 if no guard is installed.",
	.rows = show_rows,
};

struct status_rec {
	const char *interface, *hook, *mode, *what;
	uint64_t packets, bytes, bans, entries;
};

#define R struct status_rec
static const struct col status_cols[] = {
	{ "interface", "iface", "device", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "hook", "hook", "hook", .role = COL_KEY, COL_AT_STR(R, hook) },
	{ "mode", "mode", "mode", .role = COL_KEY, COL_AT_STR(R, mode) },
	{ "what", "what", "what", .role = COL_KEY, COL_AT_STR(R, what) },
	{ "packets", "packets", "guard_packets_total",
	  "Packets over a limit, from banned sources, or in another state of the guard.",
	  .role = COL_COUNTER, COL_AT_U64(R, packets) },
	{ "bytes", "bytes", "guard_bytes_total", "Bytes of those packets.", .role = COL_COUNTER,
	  COL_AT_U64(R, bytes) },
	{ "bans", "bans", "guard_bans_total", "Bans because of a limit.", .role = COL_COUNTER,
	  COL_AT_U64(R, bans) },
	{ "entries", "entries", "guard_entries",
	  "Entries of the table that are in use; connections.", .role = COL_GAUGE,
	  COL_AT_U64(R, entries) },
};
#undef R
static const struct schema status_schema = SCHEMA("guard_status", status_cols);

/* Counters other than those of limits. */
static const struct {
	enum guard_sum_index which;
	const char *words;
} others[] = {
	{ GUARD_SUM_BANNED, "from banned sources" },
	{ GUARD_SUM_ALLOWED, "allowed by --allow" },
	{ GUARD_SUM_FULL, "table full" },
	{ GUARD_SUM_KNOWN, "table full: of known connections" },
	{ GUARD_SUM_SHARED, "table full: over the shared limit" },
	{ GUARD_SUM_COOKIES, "SYN cookies sent" },
	{ GUARD_SUM_UNCOUNTED, "table full: connections not counted" },
};

/* Returns the first scope that counts open connections: other scopes count the same ones again.
 * NULL: none. */
static const struct guard_scope *conns_scope(const struct guard_conf *conf)
{
	for (int i = 0; i < conf->nscopes; i++) {
		const struct guard_scope *s = &conf->scopes[i];

		if (s->nlimits && s->limits[s->nlimits - 1].unit == GUARD_OPEN)
			return s;
	}
	return NULL;
}

static bool is_of(const struct guard_scope *s, const struct guard_name *name)
{
	return s && name->key == s->key && name->bits == (name->family == 4 ? s->bits4 : s->bits6);
}

static void count_entries(const struct guard_table *t, uint64_t *used, uint64_t *banned,
			  uint64_t *conns)
{
	const struct guard_scope *scope = conns_scope(t->conf);

	*used = *banned = *conns = 0;
	for (uint32_t i = 0; i < t->entries; i++) {
		const struct guard_rec *rec = guard_table_rec(t, i);

		if (!guard_table_is_used(t, i))
			continue;
		++*used;
		if (is_of(scope, guard_table_name(t, i)))
			*conns += guard_table_open_conns(t, rec);
		*banned += rec->ban && guard_tick_diff(guard_ban_until(rec->ban), t->tick) > 0;
	}
}

static int put_sum(struct sink *sink, struct status_rec rec, const struct guard_sums *sums,
		   uint32_t which, const char *what)
{
	rec.what = what;
	rec.entries = COL_UNKNOWN;
	rec.packets = sums->sum[which].packets;
	rec.bytes = sums->sum[which].bytes;
	return sink_row(sink, &rec);
}

static int put_limits(struct sink *sink, const struct guard_view *v, struct status_rec rec)
{
	const struct guard_conf *conf = &v->install.conf.guard;
	int rc = 0;

	for (uint8_t i = 0; i < GUARD_LIMITS_MAX && !rc; i++) {
		const struct guard_scope *scope;
		const struct guard_limit *limit = guard_find_limit(conf, i, &scope);
		struct buf text = { 0 };

		if (!limit)
			break;
		guard_print_limit(scope, limit, &text);
		buf_char(&text, '\0');
		rec.bans = v->sums.bans[i];
		rc = text.nomem ? -ENOMEM : put_sum(sink, rec, &v->sums, i, text.data);
		buf_free(&text);
	}
	return rc;
}

static int put_entries(struct sink *sink, struct status_rec rec, const char *what, uint64_t n)
{
	rec.what = what;
	rec.packets = rec.bytes = rec.bans = COL_UNKNOWN;
	rec.entries = n;
	return sink_row(sink, &rec);
}

static int put_table(struct sink *sink, const struct guard_view *v, const struct status_rec *rec)
{
	uint64_t used, banned, conns;
	int rc;

	count_entries(&v->table, &used, &banned, &conns);
	rc = put_entries(sink, *rec, "entries", used);
	if (!rc)
		rc = put_entries(sink, *rec, "entries, banned", banned);
	if (!rc)
		rc = put_entries(sink, *rec, "entries, capacity", v->table.entries);
	if (!rc)
		rc = put_entries(sink, *rec, "connections, open", conns);
	return rc;
}

static int put_status(struct guard_views *all, const struct guard_opts *o, struct sink *sink)
{
	int rc = sink_begin(sink, &status_schema, NULL);

	(void)o;
	for (size_t i = 0; i < all->n && !rc; i++) {
		const struct guard_view *v = &all->at[i];
		struct status_rec rec = { .interface = v->install.link.name,
					  .hook = hook_name(v->install.current.hook),
					  .mode = v->install.conf.guard.enforce ? "enforce"
										: "dry run",
					  .bans = COL_UNKNOWN };

		rc = put_limits(sink, v, rec);
		for (size_t n = 0; n < ARRAY_LEN(others) && !rc; n++)
			rc = put_sum(sink, rec, &v->sums, others[n].which, others[n].words);
		if (!rc)
			rc = put_table(sink, v, &rec);
	}
	return rc ? rc : sink_end(sink);
}

static int run_status(int argc, char **argv)
{
	return guard_show(&status_spec, argc, argv, put_status);
}

static const struct schema *const status_records[] = { &status_schema, NULL };
const struct command guard_status_command = { &status_spec, run_status, NULL, status_records };

static const struct opt_spec list_spec = {
	.command = "guard list",
	.usage = "[OPTIONS]",
	.about = "list bans: the address, its time so far and left, and the reason",
	.rows = show_rows,
};

struct ban_rec {
	const char *interface, *address, *reason;
	uint64_t since, left; /* ns */
	uint64_t hits, level;
};

#define R struct ban_rec
static const struct col ban_cols[] = {
	{ "interface", "iface", "device", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "address", "address", "address", .role = COL_KEY, COL_AT_STR(R, address) },
	{ "since_seconds", "since", "guard_ban_age_seconds", "How long ago a ban began.",
	  .role = COL_GAUGE, .unit = COL_NS, COL_AT_U64(R, since) },
	{ "left_seconds", "left", "guard_ban_left_seconds", "How long a ban still lasts.",
	  .role = COL_GAUGE, .unit = COL_NS, COL_AT_U64(R, left) },
	{ "hits", "hits", "guard_ban_hits_total", "Packets of a banned key that were dropped.",
	  .role = COL_COUNTER, COL_AT_U64(R, hits) },
	{ "level", "level", .role = COL_INFO, COL_AT_U64(R, level) },
	{ "reason", "reason", .role = COL_INFO, COL_AT_STR(R, reason) },
};
#undef R
static const struct schema ban_schema = SCHEMA("guard_ban", ban_cols);

static uint64_t ns_of(int32_t ticks)
{
	return (uint64_t)(guard_seconds(ticks > 0 ? ticks : 0) * 1e9);
}

static int put_ban(struct sink *sink, const struct guard_view *v, uint32_t entry)
{
	const struct guard_rec *rec = guard_table_rec(&v->table, entry);
	const struct guard_name *name = guard_table_name(&v->table, entry);
	uint64_t ban = rec->ban;
	int32_t left = guard_tick_diff(guard_ban_until(ban), v->table.tick);
	struct buf address = { 0 }, reason = { 0 };
	const struct guard_scope *scope;
	const struct guard_limit *limit =
		guard_find_limit(&v->install.conf.guard, guard_ban_reason(ban), &scope);
	struct ban_rec row = { .interface = v->install.link.name,
			       .since = ns_of(guard_tick_diff(v->table.tick, name->ban_start)),
			       .left = ns_of(left),
			       .hits = rec->dropped,
			       .level = guard_ban_level(ban) };
	int rc;

	if (!ban || left <= 0)
		return 0;
	guard_print_name(name, &address);
	buf_char(&address, '\0');
	if (limit)
		guard_print_limit(scope, limit, &reason);
	else
		buf_str(&reason, guard_ban_reason(ban) == GUARD_BAN_MANUAL
					 ? "by hand"
					 : "a limit that was removed");
	buf_char(&reason, '\0');
	row.address = address.data;
	row.reason = reason.data;
	rc = address.nomem || reason.nomem ? -ENOMEM : sink_row(sink, &row);
	buf_free(&address);
	buf_free(&reason);
	return rc;
}

static int put_bans(struct guard_views *all, const struct guard_opts *o, struct sink *sink)
{
	int rc = sink_begin(sink, &ban_schema, NULL);

	(void)o;
	for (size_t i = 0; i < all->n && !rc; i++)
		for (uint32_t e = 0; e < all->at[i].table.entries && !rc; e++)
			if (guard_table_is_used(&all->at[i].table, e))
				rc = put_ban(sink, &all->at[i], e);
	return rc ? rc : sink_end(sink);
}

static int run_list(int argc, char **argv)
{
	return guard_show(&list_spec, argc, argv, put_bans);
}

static const struct schema *const ban_records[] = { &ban_schema, NULL };
const struct command guard_list_command = { &list_spec, run_list, NULL, ban_records };
