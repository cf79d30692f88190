/* SPDX-License-Identifier: MIT */
/* Measures capturing to /dev/null and to a disk, the delay in the packets' path, and loss at the
 * end of a capture. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "base/array.h"
#include "base/err.h"
#include "sys/bpf.h"
#include "tests/bench/capture.h"

enum {
	SMALL = 64,
	LARGE = 1400,
	MATCH_EVERY = 100,
	RATE_FILE = 500000,
	RATE_FILE_MAX = 5000000,
};

static struct result results[RESULTS];

static const struct null_row {
	const char *title, *goal;
	unsigned int size;
	uint64_t rate;
} nulls[] = {
	{ "To /dev/null, 64 bytes, 2,000,000 packets per second",
	  "/dev/null, 64 bytes: CPU time relative to tcpdump", SMALL, 2000000 },
	{ "To /dev/null, 1400 bytes, 500,000 packets per second",
	  "/dev/null, 1400 bytes: CPU time relative to tcpdump", LARGE, 500000 },
};

int capture_null(struct bench *b)
{
	int rc = 0;

	for (unsigned int i = 0; i < ARRAY_LEN(nulls) && !rc; i++) {
		const struct measure_opts m = {
			.flood = { .size = nulls[i].size, .rate = nulls[i].rate },
			.seconds = b->opts.seconds,
		};

		rc = measure_rounds(b, &m, false, results);
		if (!rc) {
			print_results(nulls[i].title, results);
			add_cpu_goals(results, nulls[i].goal, 0.5);
		}
	}
	return rc;
}

/* Two goals: in ns, which depends on the host, and relative to tcpdump on the same host. */
static void add_path_goals(int receiver, double limit_ns, double limit_ratio,
			   const char *const what[2])
{
	const struct goal ns = { what[0], GOAL_AT_MOST, limit_ns, "ns" };
	const struct goal ratio = { what[1], GOAL_AT_MOST, limit_ratio, "x" };
	double sonde_ns = series_median(&results[receiver].path_ns);
	double tcpdump_ns = series_median(&results[RECEIVER_TCPDUMP].path_ns);
	bool measured = results[receiver].rate.n > 0;

	goals_add(&ns, receivers[receiver].name, measured, sonde_ns);
	goals_add(&ratio, receivers[receiver].name, measured && tcpdump_ns > 0,
		  sonde_ns / tcpdump_ns);
}

int capture_path(struct bench *b)
{
	static const char *const all[] = { "in the path, 64 bytes",
					   "in the path, 64 bytes: relative to tcpdump" };
	static const char *const filtered[] = { "in the path, 1 % matches",
						"in the path, 1 % matches: relative to tcpdump" };
	struct measure_opts m = {
		.flood = { .size = SMALL, .match_every = MATCH_EVERY },
		.seconds = b->opts.seconds / 2,
	};
	int rc = measure_rounds(b, &m, true, results);

	if (rc)
		return rc;
	print_results("Delay in the packets' path, 64 bytes at full speed", results);
	add_path_goals(RECEIVER_SONDE, 90, 0.667, all);
	add_path_goals(RECEIVER_SONDE_XDP, 70, 0.519, all);
	m.filtered = true;
	rc = measure_rounds(b, &m, true, results);
	if (rc)
		return rc;
	print_results("Delay in the packets' path, with a filter that matches 1 %", results);
	add_path_goals(RECEIVER_SONDE, 40, 0.816, filtered);
	add_path_goals(RECEIVER_SONDE_XDP, 40, 0.816, filtered);
	return 0;
}

static bool has_room(const struct bench *b, const struct measure_opts *m)
{
	double need = (double)m->flood.rate * m->seconds * (m->flood.size + 64) * 1.5;
	struct statvfs fs;

	if (statvfs(b->opts.dir, &fs))
		return false;
	return (double)fs.f_bavail * (double)fs.f_frsize > need;
}

/* Finds a rate at which tcpdump loses more than a quarter of the packets. */
static int find_file_rate(struct bench *b, struct measure_opts *m)
{
	struct receiver *tcpdump = &receivers[RECEIVER_TCPDUMP];
	struct sample s = { 0 };
	int rc = 0;

	while (!rc && !tcpdump->missing && m->flood.rate < RATE_FILE_MAX) {
		rc = has_room(b, m) ? measure_receiver(b, tcpdump, m, &s) : 0;
		if (rc || s.lost > 0.25 || !has_room(b, m))
			break;
		m->flood.rate += m->flood.rate / 8;
	}
	return rc == -ENOEXEC ? 0 : rc;
}

int capture_file(struct bench *b)
{
	const struct goal goal = { "disk, 1400 bytes: packets lost", GOAL_AT_MOST, 0.1, "%" };
	struct measure_opts m = {
		.flood = { .size = LARGE, .rate = RATE_FILE },
		.seconds = 2 * b->opts.seconds,
		.to_disk = true,
	};
	char title[128];
	int rc = find_file_rate(b, &m);

	if (!rc && !has_room(b, &m)) {
		printf("skipped: packets to a disk: not enough space in %s\n\n", b->opts.dir);
		return 0;
	}
	if (!rc)
		rc = measure_rounds(b, &m, false, results);
	if (rc)
		return rc;
	snprintf(title, sizeof(title), "To a disk, 1400 bytes, %.0f,000 packets per second",
		 (double)m.flood.rate / 1e3);
	print_results(title, results);
	add_cpu_goals(results, "disk, 1400 bytes: CPU time relative to tcpdump", 0.25);
	for (int i = RECEIVER_SONDE; i <= RECEIVER_SONDE_XDP; i++)
		goals_add(&goal, receivers[i].name, results[i].rate.n > 0,
			  series_median(&results[i].lost) * 100);
	return 0;
}

/* Sends Ctrl-C soon after the last packet, before any timer of a receiver expires. */
int capture_stop(struct bench *b)
{
	const struct goal goal = { "packets lost at Ctrl-C", GOAL_AT_MOST, 0, "" };
	const struct measure_opts m = {
		.flood = { .size = SMALL, .rate = 20000 },
		.seconds = 0.5,
		.wait_s = 0.02,
	};
	int rc = 0;

	printf("Ctrl-C 20 ms after the last packet, at 20,000 packets per second, %u times\n"
	       "  %-14s %s\n",
	       b->opts.rounds, "", "packets neither captured nor counted as dropped");
	rc = measure_rounds(b, &m, false, results);
	for (int i = 0; i < RECEIVERS && !rc; i++) {
		const struct series *unaccounted = &results[i].unaccounted;
		double most = 0;

		for (unsigned int n = 0; n < unaccounted->n; n++)
			most = unaccounted->at[n] > most ? unaccounted->at[n] : most;
		if (unaccounted->n) {
			printf("  %-14s", receivers[i].name);
			for (unsigned int n = 0; n < unaccounted->n; n++)
				printf(" %7.0f", unaccounted->at[n]);
			printf("\n");
		}
		if (!receivers[i].package)
			goals_add(&goal, receivers[i].name, unaccounted->n > 0, most);
	}
	printf("\n");
	return rc;
}

/* Prints the programs of the host that ran about once for each sent packet. */
static void print_program_times(const struct bench *b, const struct receiver *r)
{
	double sent = (double)wire_count_sent(&b->wire);
	uint32_t id = 0;

	while (!bpf_next_id(BPF_KIND_PROG, id, &id)) {
		struct bpf_prog_info info = { 0 };
		int fd = bpf_fd_by_id(BPF_KIND_PROG, id);

		if (fd < 0)
			continue;
		if (!bpf_get_info(fd, &info, sizeof(info)) &&
		    fabs((double)info.run_cnt - sent) < sent / 10 &&
		    strcmp(info.name, "bench_flood"))
			printf("  %-14s %-16s %8.1f %12llu\n", r->name, info.name,
			       (double)info.run_time_ns / (double)info.run_cnt,
			       (unsigned long long)info.run_cnt);
		close(fd);
	}
}

int capture_stats(struct bench *b)
{
	const struct measure_opts m = {
		.flood = { .size = SMALL, .rate = 1000000 },
		.seconds = b->opts.seconds,
		.observe = print_program_times,
	};
	int stats = bpf_enable_stats(), rc = 0;

	if (stats < 0) {
		printf("skipped: run times of BPF programs: %s\n\n", err_message(stats));
		return 0;
	}
	printf("Run times of BPF programs, measured by the kernel (adds about 20 ns per run)\n"
	       "  %-14s %-16s %8s %12s\n",
	       "", "program", "ns", "runs");
	for (int i = 0; i < RECEIVERS && !rc; i++) {
		struct sample s;

		if (can_receive(b, &receivers[i], &m))
			rc = measure_receiver(b, &receivers[i], &m, &s);
		rc = rc == -ENOEXEC ? 0 : rc;
	}
	close(stats);
	printf("\n");
	return rc;
}
