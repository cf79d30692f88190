/* SPDX-License-Identifier: MIT */
/* One run: starts a receiver, sends packets, stops the receiver, and counts the packets. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>
#include "base/err.h"
#include "tests/bench/capture.h"

/* Unlinks the file once the receiver has opened it, so that none is left behind. */
static int open_and_unlink(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail_errno(-errno, "%s", path);
	unlink(path);
	return fd;
}

static double get_wait_time(const struct receiver *r, const struct measure_opts *m)
{
	if (!r)
		return 0;
	return m->wait_s > 0 ? m->wait_s : r->wait_s;
}

static int send_flood(struct bench *b, struct receiver *r, const struct measure_opts *m,
		      struct sample *s)
{
	struct wire_sent sent = { 0 };
	int rc = wire_start(&b->wire, &m->flood);

	if (rc)
		return rc;
	wire_sleep(m->seconds);
	if (m->observe)
		m->observe(b, r);
	rc = wire_stop(&b->wire, &sent);
	s->rate = sent.rate;
	s->path_ns = sent.packet_ns;
	wire_sleep(get_wait_time(r, m));
	return rc;
}

static void account_packets(struct bench *b, const struct receiver *r, const struct measure_opts *m,
			    const struct receiver_result *result, double received, struct sample *s)
{
	unsigned int every = m->filtered ? m->flood.match_every : 1;

	s->expected = ceil(received / every);
	s->unaccounted = s->expected - (double)(result->captured + result->dropped);
	s->lost = s->expected > (double)result->captured
			  ? 1 - (double)result->captured / s->expected
			  : 0;
	s->cpu_ns = result->cpu_ns / received;
	if (r->package || m->filtered)
		return;
	b->loss_checked = true;
	if (s->unaccounted != 0)
		printf("  %s: %.0f packets received; it reports %llu captured, %llu dropped\n",
		       r->name, received, (unsigned long long)result->captured,
		       (unsigned long long)result->dropped);
	if (fabs(s->unaccounted) > b->unaccounted)
		b->unaccounted = fabs(s->unaccounted);
}

static int run_receiver(struct bench *b, struct receiver *r, const struct measure_opts *m,
			struct sample *s)
{
	struct receiver_result result = { 0 };
	uint64_t before = 0, after = 0;
	char path[4096] = "/dev/null";
	int fd = 0, rc;

	if (m->to_disk)
		snprintf(path, sizeof(path), "%s/captured.pcapng", b->opts.dir);
	rc = receiver_start(r, &b->wire, path, m->filtered);
	if (!rc && m->to_disk) {
		fd = open_and_unlink(path);
		rc = fd < 0 ? fd : 0;
	}
	if (!rc)
		rc = wire_read_received(&b->wire, &before);
	receiver_start_timing(r);
	if (!rc)
		rc = send_flood(b, r, m, s);
	if (!rc)
		rc = receiver_stop(r, &result);
	if (!rc)
		rc = wire_read_received(&b->wire, &after);
	if (!rc && fd)
		rc = receiver_count(fd, path, &result.captured);
	if (!rc && after == before)
		rc = fail(-EIO, "no packet was received");
	if (!rc)
		account_packets(b, r, m, &result, (double)(after - before), s);
	receiver_kill(r);
	if (m->to_disk && rc)
		unlink(path);
	if (fd > 0)
		close(fd);
	return rc;
}

int measure_receiver(struct bench *b, struct receiver *r, const struct measure_opts *m,
		     struct sample *s)
{
	*s = (struct sample){ 0 };
	return r ? run_receiver(b, r, m, s) : send_flood(b, r, m, s);
}

bool can_receive(const struct bench *b, const struct receiver *r, const struct measure_opts *m)
{
	return !r->missing && bench_is_selected(b->opts.contenders, r->name) &&
	       (r->can_filter || !m->filtered);
}

static int add_sample(struct bench *b, struct receiver *r, const struct measure_opts *m,
		      struct result *result, double baseline_ns)
{
	struct sample s;
	int rc = measure_receiver(b, r, m, &s);

	if (rc)
		return rc == -ENOEXEC ? 0 : rc;
	series_add(&result->rate, s.rate);
	series_add(&result->path_ns, s.path_ns - baseline_ns);
	if (!r)
		return 0;
	series_add(&result->lost, s.lost);
	series_add(&result->unaccounted, s.unaccounted);
	series_add(&result->cpu_ns, s.cpu_ns);
	return 0;
}

static int measure_round(struct bench *b, const struct measure_opts *m, bool path,
			 struct result results[RESULTS])
{
	struct series *baseline = &results[NO_RECEIVER].path_ns;
	int rc = 0;

	for (int i = 0; i < RECEIVERS && !rc; i++) {
		if (!can_receive(b, &receivers[i], m))
			continue;
		if (path)
			rc = add_sample(b, NULL, m, &results[NO_RECEIVER], 0);
		if (!rc)
			rc = add_sample(b, &receivers[i], m, &results[i],
					path ? baseline->at[baseline->n - 1] : 0);
	}
	return rc;
}

int measure_rounds(struct bench *b, const struct measure_opts *m, bool path,
		   struct result results[RESULTS])
{
	int rc = 0;

	for (int i = 0; i < RESULTS; i++)
		results[i] = (struct result){ 0 };
	for (unsigned int round = 0; round < b->opts.rounds && !rc; round++)
		rc = measure_round(b, m, path, results);
	return rc;
}

void print_results(const char *title, const struct result results[RESULTS])
{
	double first = series_median(&results[RECEIVER_TCPDUMP].cpu_ns);
	bool path = results[NO_RECEIVER].rate.n > 0;

	printf("%s\n  %-14s %8s %8s %9s  %8s %8s %8s %7s", title, "", "kpps", "lost", "uncounted",
	       "CPU ns", "min", "p90", "ratio");
	printf(path ? "  %8s %8s\n" : "\n", "path ns", "min");
	if (path)
		printf("  %-14s %8.0f %56s  %8.1f %8.1f\n", "no receiver",
		       series_median(&results[NO_RECEIVER].rate) / 1e3, "",
		       series_median(&results[NO_RECEIVER].path_ns),
		       series_spread(&results[NO_RECEIVER].path_ns).min);
	for (int i = 0; i < RECEIVERS; i++) {
		const struct result *r = &results[i];
		struct spread cpu = series_spread(&r->cpu_ns), path_ns = series_spread(&r->path_ns);

		if (!r->rate.n)
			continue;
		printf("  %-14s %8.0f %7.3f%% %9.0f  %8.1f %8.1f %8.1f", receivers[i].name,
		       series_median(&r->rate) / 1e3, series_median(&r->lost) * 100,
		       series_median(&r->unaccounted), cpu.median, cpu.min, cpu.p90);
		if (first > 0)
			printf(" %6.2fx", cpu.median / first);
		else
			printf(" %7s", "-");
		if (path)
			printf("  %+8.1f %+8.1f", path_ns.median, path_ns.min);
		printf("\n");
	}
	printf("\n");
}

void add_cpu_goals(const struct result results[RESULTS], const char *what, double limit)
{
	struct goal goal = { what, GOAL_AT_MOST, limit, "x" };
	double first = series_median(&results[RECEIVER_TCPDUMP].cpu_ns);

	for (int i = RECEIVER_SONDE; i <= RECEIVER_SONDE_XDP; i++)
		goals_add(&goal, receivers[i].name, first > 0 && results[i].rate.n > 0,
			  series_median(&results[i].cpu_ns) / first);
}
