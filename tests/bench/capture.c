/* SPDX-License-Identifier: MIT */
/* Compares sonde capture with its peers in one run: runs the parts, then prints the goals. Runs in
 * namespaces of its own, which end with it. */
#define _GNU_SOURCE
#include "base/array.h"
#include "tests/bench/capture.h"
#include <stdio.h>
#include "base/err.h"

enum { ROUNDS = 3 };

static const struct part parts[] = {
	{ "null", "packets to /dev/null at a fixed rate: CPU time, loss", true, capture_null },
	{ "path", "the delay that a receiver adds to each packet", true, capture_path },
	{ "file", "packets to a disk at a fixed rate: CPU time, loss", true, capture_file },
	{ "rate", "the highest rate without loss", true, capture_rate },
	{ "stop", "packets that are lost at Ctrl-C", true, capture_stop },
	{ "stats", "run times of BPF programs, measured by the kernel", true, capture_stats },
	{ "text", "formatting the packets of a file as text", false, capture_text },
};
enum { PARTS = ARRAY_LEN(parts) };

static void add_loss_goal(const struct bench *b)
{
	if (b->loss_checked)
		goals_add(&(struct goal){ "packets neither captured nor counted as dropped",
					  GOAL_AT_MOST, 0, "" },
			  "sonde", true, b->unaccounted);
}

static int print_usage(void)
{
	fprintf(stderr, "usage: capture [-q] [-s SECONDS] [-p PART,...] [-r RECEIVER,...] [-d DIR] "
			"BUILD_DIR\n"
			"  -q  quick: one round with short floods\n"
			"  -s  duration of a flood\n"
			"  -d  directory for captured packets (default: BUILD_DIR)\n");
	parts_print_usage(parts, PARTS);
	fprintf(stderr, "receivers:\n");
	for (int i = 0; i < RECEIVERS; i++)
		fprintf(stderr, "  %s\n", receivers[i].name);
	fprintf(stderr, "  tshark (text only)\n");
	return 2;
}

int main(int argc, char **argv)
{
	static struct bench b = { .opts = { .rounds = ROUNDS,
					    .seconds = 0.8,
					    .quick_rounds = 1,
					    .quick_seconds = 0.4 } };
	int rc;

	err_set_command("bench");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!bench_parse_opts(&b.opts, "hqs:p:r:d:", argc, argv))
		return print_usage();
	bench_print_header("capture", &b.opts);
	printf("CPU ns: the receiver's user and system time per received packet\n\n");
	receivers_find_all(b.opts.sonde);
	rc = parts_run(parts, PARTS, b.opts.parts, &b, &b.wire);
	add_loss_goal(&b);
	goals_print();
	return rc ? 1 : 0;
}
