/* SPDX-License-Identifier: MIT */
/* Measures loading a set into the kernel, from start to exit of the command. */
#include <stdio.h>
#include "base/array.h"
#include "base/err.h"
#include "tests/bench/filter.h"

enum { SINGLE_ADDRS = 300 }; /* addresses that xdp-filter loads one by one, of 10,000 */

static const struct load_row {
	enum contender_id contender;
	double goal_ms; /* 0: none */
	const char *goal;
} rows[] = {
	{ SONDE, 50, "loading 10,000 addresses" },
	{ SONDE_CIDR, 0, NULL },
	{ SONDE_1M, 0, NULL },
	{ SONDE_CIDR_1M, 2000, "loading 1,000,000 CIDRs" },
	{ NFT, 0, NULL },
	{ NFT_CIDR, 0, NULL },
};

static int load_once(struct bench *b, struct contender *c, struct run *run)
{
	int rc = c->method == &method_nft ? load_nft(b, c, run) : load_sonde(b, c, run);

	return rc ? rc : c->method->remove(b, c);
}

static void print_load(const struct contender *c, const struct series *wall,
		       const struct series *cpu, const char *note)
{
	struct spread s = series_spread(wall);

	printf("  %-36s %9.1f %9.1f %9.1f %9.1f%s\n", c->about, s.median, s.min, s.p90,
	       series_median(cpu), note);
}

static int measure_row(struct bench *b, const struct load_row *row)
{
	struct contender *c = &contenders[row->contender];
	static struct series wall, cpu;
	int rc = 0;

	wall.n = cpu.n = 0;
	for (unsigned int i = 0; i < b->opts.rounds && !rc && contender_is_selected(b, c); i++) {
		struct run run;

		rc = load_once(b, c, &run);
		if (rc)
			break;
		series_add(&wall, run.wall_ms);
		series_add(&cpu, run.cpu_ms);
	}
	if (wall.n)
		print_load(c, &wall, &cpu, "");
	if (row->goal)
		goals_add(&(struct goal){ row->goal, GOAL_AT_MOST, row->goal_ms, "ms" }, c->name,
			  wall.n > 0, series_median(&wall));
	return rc && c->package ? 0 : rc;
}

static int load_xdp_filter(struct bench *b)
{
	struct contender *c = &contenders[XDP_FILTER];
	static struct series wall, cpu;
	struct run run;
	char note[80];
	int rc;

	if (!contender_is_selected(b, c))
		return 0;
	rc = run_program(
		(const char *const[]){ "xdp-filter", "load", "-f", "ipv4", WIRE_IFACE, NULL },
		false, &run);
	if (!rc)
		rc = load_xdp_filter_addrs(SINGLE_ADDRS, &run);
	if (rc)
		return 0;
	series_add(&wall, run.wall_ms * sets[SET_ADDRS].n / SINGLE_ADDRS);
	series_add(&cpu, run.cpu_ms * sets[SET_ADDRS].n / SINGLE_ADDRS);
	snprintf(note, sizeof(note), "  (projected from %u: it loads one at a time)", SINGLE_ADDRS);
	print_load(c, &wall, &cpu, note);
	return c->method->remove(b, c);
}

int filter_load(struct bench *b)
{
	int rc = lab_enter(&b->wire.lab, LAB_FAR), leave_rc;

	printf("Loading, from start to exit of the command, in ms\n  %-36s %9s %9s %9s %9s\n", "",
	       "wall", "min", "p90", "CPU");
	for (unsigned int i = 0; i < ARRAY_LEN(rows) && !rc; i++)
		rc = measure_row(b, &rows[i]);
	if (!rc)
		rc = load_xdp_filter(b);
	printf("\n");
	leave_rc = lab_enter(&b->wire.lab, LAB_NEAR);
	return rc ? rc : leave_rc;
}
