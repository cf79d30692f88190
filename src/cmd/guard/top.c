/* SPDX-License-Identifier: MIT */
/* sonde guard top: shows which keys send most packets and how many are dropped. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/guard/guard.h"
#include "guard/rates.h"
#include "sys/wait.h"

#define O struct guard_opts
static const struct opt rows[] = {
	GATE_ROWS_WHERE(O),
	OPT_ROW_DURATION(O, "measure for this time (default: 1s)"),
	OPT_U32(0, "rows", "N", O, rows, 1, 1000,
		"show this many sources or destinations of each guard (default: 10)"),
	OPT_ROWS_OUTPUT(O),
	{ 0 },
};
#undef O
static const struct opt_spec spec = {
	.command = "guard top",
	.usage = "[OPTIONS]",
	.about = "show the busiest sources and destinations",
	.rows = rows,
};

struct top_rec {
	const char *interface, *key, *address;
	double pps, bps, drops;
	uint64_t passed, dropped, conns;
	bool banned;
};

#define R struct top_rec
static const struct col cols[] = {
	{ "interface", "iface", "device", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "key", "key", "key", .role = COL_KEY, COL_AT_STR(R, key) },
	{ "address", "address", "address", .role = COL_KEY, COL_AT_STR(R, address) },
	{ "packets_per_second", "pkt/s", "guard_packets_per_second", "Packets a second of a key.",
	  .role = COL_GAUGE, .unit = COL_RATE, COL_AT_F64(R, pps) },
	{ "bits_per_second", "bit/s", "guard_bits_per_second", "Bits a second of a key.",
	  .role = COL_GAUGE, .unit = COL_RATE, COL_AT_F64(R, bps) },
	{ "dropped_per_second", "drop/s", "guard_dropped_per_second",
	  "Packets of a key dropped a second.", .role = COL_GAUGE, .unit = COL_RATE,
	  COL_AT_F64(R, drops) },
	{ "passed_packets", "passed", .role = COL_INFO, COL_AT_U64(R, passed) },
	{ "dropped_packets", "dropped", .role = COL_INFO, COL_AT_U64(R, dropped) },
	{ "connections", "conns", "guard_connections",
	  "Open connections of a key, where they are limited.", .role = COL_GAUGE,
	  COL_AT_U64(R, conns) },
	{ "banned", "banned", .role = COL_INFO, COL_AT_BOOL(R, banned) },
};
#undef R
static const struct schema schema = SCHEMA("guard_key", cols);

static int put_key(struct sink *sink, const struct guard_view *v, const struct guard_busy *b)
{
	static const char *const keys[] = { "src", "dst", "src+port" };
	const struct guard_rec *rec = guard_table_rec(&v->table, b->entry);
	const struct guard_name *name = guard_table_name(&v->table, b->entry);
	struct buf address = { 0 };
	struct top_rec row = {
		.interface = v->install.link.name,
		.key = keys[name->key % 3],
		.pps = b->pps,
		.bps = b->bps,
		.drops = b->drops,
		.passed = rec->passed,
		.dropped = rec->dropped,
		.conns = guard_table_open_conns(&v->table, rec),
		.banned = rec->ban && guard_tick_diff(guard_ban_until(rec->ban), v->table.tick) > 0,
	};
	int rc;

	guard_print_name(name, &address);
	buf_char(&address, '\0');
	row.address = address.data;
	rc = address.nomem ? -ENOMEM : sink_row(sink, &row);
	buf_free(&address);
	return rc;
}

static int print_top(struct guard_views *all, const struct guard_opts *o, struct sink *sink)
{
	struct guard_rates *rates = calloc(all->n, sizeof(*rates));
	size_t most = o->rows ? o->rows : 10;
	struct guard_busy *busy = calloc(most, sizeof(*busy));
	int rc = rates && busy ? wait_catch_signals() : -ENOMEM;

	for (size_t i = 0; i < all->n && !rc; i++)
		rc = guard_rates_begin(&rates[i], &all->at[i].table);
	if (!rc)
		wait_for(0, clock_mono() + (o->common.duration ? o->common.duration : NS_PER_S));
	if (!rc)
		rc = sink_begin(sink, &schema, NULL);
	for (size_t i = 0; i < all->n && !rc; i++) {
		size_t n = guard_rates_read(&rates[i], &all->at[i].table, busy, most);

		for (size_t b = 0; b < n && !rc; b++)
			rc = put_key(sink, &all->at[i], &busy[b]);
	}
	for (size_t i = 0; rates && i < all->n; i++)
		guard_rates_free(&rates[i]);
	free(rates);
	free(busy);
	return rc ? rc : sink_end(sink);
}

static int run_top(int argc, char **argv)
{
	return guard_show(&spec, argc, argv, print_top);
}

static const struct schema *const records[] = { &schema, NULL };
const struct command guard_top_command = { &spec, run_top, NULL, records };
