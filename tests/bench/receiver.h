/* SPDX-License-Identifier: MIT */
/* A capture program that is measured: started at the wire's far end, stopped, and its counters
 * read. */
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
	const char *argv[RECEIVER_ARGS_MAX]; /* "FILE" is replaced by the file's path */
	bool can_filter;                     /* it supports filters */
	const char *filter_option;           /* the option before the filter, NULL: none */
	/* Its output: extended regular expressions. The first group is the number. */
	const char *ready, *captured, *dropped;
	double wait_s;       /* how long a packet may stay in its buffers */
	const char *package; /* the package that has it; NULL: sonde */
	bool missing;
	/* While it runs: */
	pid_t pid;
	int output_fd;         /* its standard output and error */
	uint64_t start_cpu_ns; /* its CPU time before the packets */
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

/* What a receiver did with the packets. */
struct receiver_result {
	uint64_t captured, dropped; /* as it reports; dropped: 0 if it does not report that */
	double cpu_ns;              /* user and system time since receiver_start_timing() */
};

/* Finds the programs. sonde: its path. Reports those that are missing. */
void receivers_find_all(const char *sonde);
/* Starts it with output to file, and waits until it captures. Returns -ENOEXEC and sets missing if
 * it cannot do this; otherwise 0 or -errno. Reports errors. */
int receiver_start(struct receiver *r, const struct wire *w, const char *file, bool filtered);
/* Starts measuring its CPU time. */
void receiver_start_timing(struct receiver *r);
/* Interrupts it like Ctrl-C, waits for its exit, and reads its counters. Errors are as in
 * receiver_start(). */
int receiver_stop(struct receiver *r, struct receiver_result *result);
void receiver_kill(struct receiver *r);

/* Counts the packets of a capture file from the descriptor's position on. file: its name for
 * errors. 0 or -errno. Reports errors. */
int receiver_count(int fd, const char *file, uint64_t *packets);

#endif
