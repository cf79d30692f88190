/* SPDX-License-Identifier: MIT */
/* Runs a benchmark's parts, and prints its goals at the end. */
#include "tests/bench/parts.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { GOALS_MAX = 64 };

static struct goal_row {
	struct goal goal;
	char who[32];
	bool measured;
	double value;
} goals[GOALS_MAX];
static unsigned int ngoals;

bool bench_is_selected(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (list && *list) {
		size_t n = strcspn(list, ",");

		if (n == len && !strncmp(list, name, len))
			return true;
		list += n + (list[n] == ',');
		if (!*list)
			return false;
	}
	return true;
}

bool bench_parse_opts(struct bench_opts *o, const char *optstring, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, optstring)) != -1)
		switch (c) {
		case 'q':
			o->rounds = o->quick_rounds;
			o->seconds = o->quick_seconds;
			break;
		case 's':
			o->seconds = strtod(optarg, NULL);
			break;
		case 'p':
			o->parts = optarg;
			break;
		case 'r':
			o->contenders = optarg;
			break;
		case 'd':
			o->dir = optarg;
			break;
		default:
			return false;
		}
	if (optind != argc - 1 || !(o->seconds > 0))
		return false;
	snprintf(o->sonde, sizeof(o->sonde), "%s/sonde", argv[optind]);
	o->dir = o->dir ? o->dir : argv[optind];
	return true;
}

void bench_print_header(const char *name, const struct bench_opts *o)
{
	struct utsname un = { 0 };

	uname(&un);
	printf("sonde %s bench: Linux %s %s, %ld CPUs; medians of %u, floods of %g s\n", name,
	       un.release, un.machine, sysconf(_SC_NPROCESSORS_ONLN), o->rounds, o->seconds);
}

int parts_run(const struct part *parts, unsigned int n, const char *list, struct bench *b,
	      struct wire *wire)
{
	int rc = 0;

	for (unsigned int i = 0; i < n && !rc; i++) {
		if (!bench_is_selected(list, parts[i].name))
			continue;
		if (parts[i].wire && !wire->lab.home)
			rc = wire_open(wire);
		if (!rc)
			rc = parts[i].run(b);
	}
	wire_close(wire);
	return rc;
}

void parts_print_usage(const struct part *parts, unsigned int n)
{
	fprintf(stderr, "parts:\n");
	for (unsigned int i = 0; i < n; i++)
		fprintf(stderr, "  %-6s %s\n", parts[i].name, parts[i].about);
}

void goals_add(const struct goal *goal, const char *who, bool measured, double value)
{
	struct goal_row *row = &goals[ngoals];

	if (ngoals == GOALS_MAX)
		return;
	ngoals++;
	*row = (struct goal_row){ .goal = *goal, .measured = measured, .value = value };
	snprintf(row->who, sizeof(row->who), "%s", who);
}

void goals_print(void)
{
	if (ngoals)
		printf("Goals\n  %-58s %-13s %9s %9s\n", "", "", "goal", "measured");
	for (unsigned int i = 0; i < ngoals; i++) {
		const struct goal_row *row = &goals[i];
		const struct goal *g = &row->goal;
		bool most = g->kind == GOAL_AT_MOST;

		printf("  %-58s %-13s %s %-6.4g", g->what, row->who, most ? "<=" : ">=", g->limit);
		if (!row->measured)
			printf(" %9s       not measured\n", "-");
		else if (most ? row->value <= g->limit : row->value >= g->limit)
			printf(" %9.3g %-5s met\n", row->value, g->unit);
		else
			printf(" %9.3g %-5s MISSED by %.2g %s\n", row->value, g->unit,
			       fabs(row->value - g->limit), g->unit);
	}
}
