/* SPDX-License-Identifier: MIT */
/* A capturing program under measurement: started at the wire's far end, stopped, asked. */
#ifndef TESTS_BENCH_RECEIVER_H
#define TESTS_BENCH_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include "tests/bench/wire.h"

enum { RECEIVER_ARGS_MAX = 10, RECEIVER_TEXT_MAX = 1 << 14 };

#define RECEIVER_FILTER "udp dst port 20053"

struct receiver {
	const char *name;
	const char *argv[RECEIVER_ARGS_MAX]; /* "FILE": where it writes */
	bool can_filter;                     /* it can */
	const char *filter_option;           /* the option that a filter stands behind, if any */
	/* What it says: extended regular expressions, the number as the first group. */
	const char *ready, *captured, *dropped;
	double wait_s;       /* how long a packet may lie in its buffers */
	const char *package; /* which brings it; NULL: it is ours */
	bool missing;
	/* While it runs: */
	pid_t pid;
	int output_fd;         /* descriptor of what it wrote to its standard output and error */
	uint64_t start_cpu_ns; /* CPU time, before the packets */
};

enum {
	RECEIVER_TCPDUMP,
	RECEIVER_DUMPCAP,
	RECEIVER_XDPDUMP,
	RECEIVER_NETSNIFF,
	RECEIVER_SONDE,
	RECEIVER_SONDE_XDP,
	RECEIVERS
};
extern struct receiver receivers[RECEIVERS];

/* What became of the packets. */
struct receiver_result {
	uint64_t captured, dropped; /* by its own words; dropped: 0 if it has none for that */
	double cpu_ns;              /* user and system, since receiver_start_timing() */
};

/* Find what is there; sonde: path of that. What is not there is named. */
void receivers_find_all(const char *sonde);
/* Start it, writing to file, and wait until it captures. -ENOEXEC, said, and absent is set: it
 * cannot do this. Else 0 or -errno, said. */
int receiver_start(struct receiver *r, const struct wire *w, const char *file, bool filtered);
/* From here on its CPU time counts. */
void receiver_start_timing(struct receiver *r);
/* Interrupt it as Ctrl-C does, and wait for its end. */
int receiver_stop(struct receiver *r, struct receiver_result *result);
void receiver_kill(struct receiver *r);

/* Packets of a capture file, from where the descriptor stands; file is for the error. */
int receiver_count(int fd, const char *file, uint64_t *packets);

#endif
