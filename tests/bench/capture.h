/* SPDX-License-Identifier: MIT */
/* The parts of the capture benchmark, what they share, and the goals that they are held to. */
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
	/* The most packets of a run that sonde neither delivered nor counted as lost. */
	bool loss_checked;
	double unaccounted;
};

/* One run with a receiver. */
struct measure_opts {
	struct wire_flood flood;
	double seconds;
	double wait_s; /* between the last packet and Ctrl-C; 0: the receiver's own */
	bool filtered;
	bool to_disk;
	/* Called while packets come, may be NULL. */
	void (*observe)(const struct bench *b, const struct receiver *r);
};
struct sample {
	double rate;        /* packets a second that were sent */
	double path_ns;     /* the sending CPU's time for one, its whole way included */
	double wanted;      /* packets that the receiver had to deliver */
	double lost;        /* of them, as a share */
	double unaccounted; /* neither delivered nor said to be lost */
	double cpu_ns;      /* of the receiver, for each packet that came in */
};
/* r NULL: nobody receives. -ENOEXEC: this receiver cannot; else 0 or -errno, said. */
int measure_receiver(struct bench *b, struct receiver *r, const struct measure_opts *m,
		     struct sample *s);

/* The samples of all receivers in rounds, so that a disturbance meets all alike. */
struct result {
	struct series rate, lost, unaccounted, cpu_ns;
	struct series path_ns; /* what it adds to a packet's way; nobody's: the way */
};
enum { NO_RECEIVER = RECEIVERS, RESULTS };
/* path: the same without a receiver before each. */
int measure_rounds(struct bench *b, const struct measure_opts *m, bool path,
		   struct result results[RESULTS]);
bool can_receive(const struct bench *b, const struct receiver *r, const struct measure_opts *m);
void print_results(const char *title, const struct result results[RESULTS]);
/* For each way of sonde's: a goal for its CPU time as a part of tcpdump's. */
void add_cpu_goals(const struct result results[RESULTS], const char *what, double limit);

/* Each prints its section; 0 or -errno after saying why. */
int capture_null(struct bench *b);
int capture_path(struct bench *b);
int capture_file(struct bench *b);
int capture_rate(struct bench *b);
int capture_stop(struct bench *b);
int capture_stats(struct bench *b);
int capture_text(struct bench *b);

#endif
