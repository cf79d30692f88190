/* SPDX-License-Identifier: MIT */
/* sonde capture beside its peers, in one run: every part in turn, then the goals. Its packets and
 * programs are in namespaces of its own, which go when it does, however that ends. */
#define _GNU_SOURCE
#include "base/array.h"
#include "tests/bench/capture.h"
#include <stdio.h>
#include "base/err.h"

enum { ROUNDS = 3 };

static const struct part parts[] = {
	{ "null", "packets to /dev/null at a steady rate: CPU time, loss", true, capture_null },
	{ "path", "what a receiver adds to each packet's way", true, capture_path },
	{ "file", "packets to a disk: CPU time, loss", true, capture_file },
	{ "rate", "the highest rate without loss", true, capture_rate },
	{ "stop", "what is left behind at Ctrl-C", true, capture_stop },
	{ "stats", "the kernel's own times of BPF programs", true, capture_stats },
	{ "text", "packets of a file as text", false, capture_text },
};
enum { PARTS = ARRAY_LEN(parts) };

static void add_loss_goal(const struct bench *b)
{
	if (b->loss_checked)
		goals_add(&(struct goal){ "packets neither delivered nor counted as lost",
					  GOAL_AT_MOST, 0, "" },
			  "sonde", true, b->unaccounted);
}

static int print_usage(void)
{
	fprintf(stderr, "usage: capture [-q] [-s SECONDS] [-p PART,...] [-r RECEIVER,...] [-d DIR] "
			"BUILD_DIR\n"
			"  -q  quick: one round of short floods\n"
			"  -s  how long a flood is\n"
			"  -d  where captured packets are written (default: BUILD_DIR)\n");
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
	printf("CPU ns: the receiver's, user and system, for each packet that came in\n\n");
	receivers_find_all(b.opts.sonde);
	rc = parts_run(parts, PARTS, b.opts.parts, &b, &b.wire);
	add_loss_goal(&b);
	goals_print();
	return rc ? 1 : 0;
}
