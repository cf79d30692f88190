/* SPDX-License-Identifier: MIT */
/* sonde capture beside its peers, in one run: every part in turn, then the goals. Its packets and
 * programs are in namespaces of its own, which go when it does, however that ends. */
#define _GNU_SOURCE
#include "tests/bench/capture.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "base/err.h"

enum { ROUNDS = 3, GOALS_MAX = 64 };

static const struct part {
	const char *name, *about;
	bool wire;
	int (*run)(struct bench *b);
} parts[] = {
	{ "null", "packets to /dev/null at a steady rate: CPU time, loss", true, capture_null },
	{ "path", "what a receiver adds to each packet's way", true, capture_path },
	{ "file", "packets to a disk: CPU time, loss", true, capture_file },
	{ "rate", "the highest rate without loss", true, capture_rate },
	{ "stop", "what is left behind at Ctrl-C", true, capture_stop },
	{ "stats", "the kernel's own times of BPF programs", true, capture_stats },
	{ "text", "packets of a file as text", false, capture_text },
};
enum { PARTS = sizeof(parts) / sizeof(*parts) };

static struct goal_row {
	struct goal goal;
	char who[32];
	bool measured;
	double value;
} goals[GOALS_MAX];
static unsigned int ngoals;

bool bench_chosen(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list && *list) {
		size_t n = strcspn(list, ",");

		if (n == len && !strncmp(list, word, len))
			return true;
		list += n + (list[n] == ',');
		if (!*list)
			return false;
	}
	return true;
}

void goal_met(const struct goal *goal, const char *who, bool measured, double value)
{
	struct goal_row *row = &goals[ngoals];

	if (ngoals == GOALS_MAX)
		return;
	ngoals++;
	*row = (struct goal_row){ .goal = *goal, .measured = measured, .value = value };
	snprintf(row->who, sizeof(row->who), "%s", who);
}

static void print_goals(void)
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
			printf(" %9.3g %-5s holds\n", row->value, g->unit);
		else
			printf(" %9.3g %-5s short: %.2g %s\n", row->value, g->unit,
			       fabs(row->value - g->limit), g->unit);
	}
}

static void print_head(const struct bench *b)
{
	struct utsname un = { 0 };

	uname(&un);
	printf("sonde capture bench: Linux %s %s, %ld CPUs; medians of %u, floods of %g s\n"
	       "CPU ns: the receiver's, user and system, for each packet that came in\n\n",
	       un.release, un.machine, sysconf(_SC_NPROCESSORS_ONLN), b->rounds, b->seconds);
}

static int run_parts(struct bench *b, const char *chosen)
{
	int rc = 0;

	for (int i = 0; i < PARTS && !rc; i++) {
		if (!bench_chosen(chosen, parts[i].name))
			continue;
		if (parts[i].wire && !b->wire.lab.home)
			rc = wire_open(&b->wire);
		if (!rc)
			rc = parts[i].run(b);
	}
	wire_close(&b->wire);
	if (b->accounted)
		goal_met(&(struct goal){ "packets neither delivered nor counted as lost",
					 GOAL_AT_MOST, 0, "" },
			 "sonde", true, b->unaccounted);
	return rc;
}

static int usage(void)
{
	fprintf(stderr, "usage: capture [-q] [-s SECONDS] [-p PART,...] [-r RECEIVER,...] [-d DIR] "
			"BUILD_DIR\n"
			"  -q  quick: one round of short floods\n"
			"  -s  how long a flood is\n"
			"  -d  where captured packets are written (default: BUILD_DIR)\n"
			"parts:\n");
	for (int i = 0; i < PARTS; i++)
		fprintf(stderr, "  %-6s %s\n", parts[i].name, parts[i].about);
	fprintf(stderr, "receivers:\n");
	for (int i = 0; i < RECEIVERS; i++)
		fprintf(stderr, "  %s\n", receivers[i].name);
	fprintf(stderr, "  tshark (text only)\n");
	return 2;
}

int main(int argc, char **argv)
{
	static struct bench b = { .rounds = ROUNDS, .seconds = 0.8 };
	const char *chosen = NULL;
	char sonde[4096];
	int c, rc;

	err_command("bench");
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((c = getopt(argc, argv, "hqs:p:r:d:")) != -1)
		switch (c) {
		case 'q':
			b.rounds = 1;
			b.seconds = 0.4;
			break;
		case 's':
			b.seconds = strtod(optarg, NULL);
			break;
		case 'p':
			chosen = optarg;
			break;
		case 'r':
			b.only = optarg;
			break;
		case 'd':
			b.dir = optarg;
			break;
		default:
			return usage();
		}
	if (optind != argc - 1 || !(b.seconds > 0))
		return usage();
	snprintf(sonde, sizeof(sonde), "%s/sonde", argv[optind]);
	b.sonde = sonde;
	b.dir = b.dir ? b.dir : argv[optind];
	print_head(&b);
	receivers_find(sonde);
	rc = run_parts(&b, chosen);
	print_goals();
	return rc ? 1 : 0;
}
