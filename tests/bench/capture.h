/* SPDX-License-Identifier: MIT */
/* The parts of the capture benchmark, and what they share. */
#ifndef TESTS_BENCH_CAPTURE_H
#define TESTS_BENCH_CAPTURE_H

#include <stdbool.h>
#include "tests/bench/parts.h"
#include "tests/bench/receiver.h"
#include "tests/bench/series.h"
#include "tests/bench/wire.h"

struct bench {
	struct bench_opts opts;
	struct wire wire;
	/* The most packets of a run that sonde neither captured nor counted as dropped. */
	bool loss_checked;
	double unaccounted;
};

/* Options of a run with a receiver. */
struct measure_opts {
	struct wire_flood flood;
	double seconds;
	double wait_s; /* from the last packet to Ctrl-C; 0: the receiver's default */
	bool filtered;
	bool to_disk;
	/* Called while packets are sent. NULL: not called. */
	void (*observe)(const struct bench *b, const struct receiver *r);
};
struct sample {
	double rate;        /* sent packets per second */
	double path_ns;     /* the sending CPU's time per packet, with the whole path */
	double expected;    /* packets that the receiver should capture */
	double lost;        /* share of these that were not captured */
	double unaccounted; /* neither captured nor counted as dropped */
	double cpu_ns;      /* the receiver's CPU time per received packet */
};
/* r NULL: without a receiver. Returns -ENOEXEC if this receiver cannot do it; otherwise 0 or
 * -errno. Reports errors. */
int measure_receiver(struct bench *b, struct receiver *r, const struct measure_opts *m,
		     struct sample *s);

/* The samples of all receivers. They are measured in rounds, so that a disturbance affects all. */
struct result {
	struct series rate, lost, unaccounted, cpu_ns;
	struct series path_ns; /* added per packet; NO_RECEIVER: of the path */
};
enum { NO_RECEIVER = RECEIVERS, RESULTS };
/* path: before each receiver, measures the same flood without one. */
int measure_rounds(struct bench *b, const struct measure_opts *m, bool path,
		   struct result results[RESULTS]);
bool can_receive(const struct bench *b, const struct receiver *r, const struct measure_opts *m);
void print_results(const char *title, const struct result results[RESULTS]);
/* For each hook of sonde: a goal for its CPU time relative to tcpdump's. */
void add_cpu_goals(const struct result results[RESULTS], const char *what, double limit);

/* Each prints its section. 0 or -errno. Reports errors. */
int capture_null(struct bench *b);
int capture_path(struct bench *b);
int capture_file(struct bench *b);
int capture_rate(struct bench *b);
int capture_stop(struct bench *b);
int capture_stats(struct bench *b);
int capture_text(struct bench *b);

#endif
