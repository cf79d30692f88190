/* SPDX-License-Identifier: MIT */
/* One run: a receiver started, packets sent, the receiver stopped, everything counted. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>
#include "base/err.h"
#include "tests/bench/capture.h"

/* Its name is gone as soon as the receiver has it open: nothing stays, however this ends. */
static int take_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fail_errno(-errno, "%s", path);
	unlink(path);
	return fd;
}

static double settle(const struct receiver *r, const struct measure *m)
{
	if (!r)
		return 0;
	return m->settle_s > 0 ? m->settle_s : r->settle_s;
}

static int flood(struct bench *b, struct receiver *r, const struct measure *m, struct sample *s)
{
	struct wire_sent sent = { 0 };
	int rc = wire_start(&b->wire, &m->flood);

	if (rc)
		return rc;
	wire_sleep(m->seconds);
	if (m->look)
		m->look(b, r);
	rc = wire_stop(&b->wire, &sent);
	s->rate = sent.rate;
	s->path_ns = sent.packet_ns;
	wire_sleep(settle(r, m));
	return rc;
}

static void account(struct bench *b, const struct receiver *r, const struct measure *m,
		    const struct receipt *got, double came, struct sample *s)
{
	unsigned int every = m->filtered ? m->flood.match_every : 1;

	s->wanted = ceil(came / every);
	s->missing = s->wanted - (double)(got->captured + got->dropped);
	s->lost = s->wanted > (double)got->captured ? 1 - (double)got->captured / s->wanted : 0;
	s->cpu_ns = got->cpu_ns / came;
	if (r->package || m->filtered)
		return;
	b->accounted = true;
	if (s->missing != 0)
		printf("  %s: %.0f packets came, %llu captured, %llu dropped by its words\n",
		       r->name, came, (unsigned long long)got->captured,
		       (unsigned long long)got->dropped);
	if (fabs(s->missing) > b->unaccounted)
		b->unaccounted = fabs(s->missing);
}

static int run_receiver(struct bench *b, struct receiver *r, const struct measure *m,
			struct sample *s)
{
	struct receipt got = { 0 };
	uint64_t before = 0, after = 0;
	char path[4096] = "/dev/null";
	int fd = 0, rc;

	if (m->to_disk)
		snprintf(path, sizeof(path), "%s/captured.pcapng", b->opts.dir);
	rc = receiver_start(r, &b->wire, path, m->filtered);
	if (!rc && m->to_disk) {
		fd = take_file(path);
		rc = fd < 0 ? fd : 0;
	}
	if (!rc)
		rc = wire_received(&b->wire, &before);
	receiver_mark(r);
	if (!rc)
		rc = flood(b, r, m, s);
	if (!rc)
		rc = receiver_stop(r, &got);
	if (!rc)
		rc = wire_received(&b->wire, &after);
	if (!rc && fd)
		rc = receiver_count(fd, path, &got.captured);
	if (!rc && after == before)
		rc = fail(-EIO, "no packet came in");
	if (!rc)
		account(b, r, m, &got, (double)(after - before), s);
	receiver_kill(r);
	if (m->to_disk && rc)
		unlink(path);
	if (fd > 0)
		close(fd);
	return rc;
}

int measure(struct bench *b, struct receiver *r, const struct measure *m, struct sample *s)
{
	*s = (struct sample){ 0 };
	return r ? run_receiver(b, r, m, s) : flood(b, r, m, s);
}

bool can_receive(const struct bench *b, const struct receiver *r, const struct measure *m)
{
	return !r->absent && bench_chosen(b->opts.only, r->name) && (r->filters || !m->filtered);
}

static int measure_one(struct bench *b, struct receiver *r, const struct measure *m,
		       struct result *result, double alone_ns)
{
	struct sample s;
	int rc = measure(b, r, m, &s);

	if (rc)
		return rc == -ENOEXEC ? 0 : rc;
	series_add(&result->rate, s.rate);
	series_add(&result->path_ns, s.path_ns - alone_ns);
	if (!r)
		return 0;
	series_add(&result->lost, s.lost);
	series_add(&result->missing, s.missing);
	series_add(&result->cpu_ns, s.cpu_ns);
	return 0;
}

static int measure_round(struct bench *b, const struct measure *m, bool path,
			 struct result results[RESULTS])
{
	struct series *alone = &results[NOBODY].path_ns;
	int rc = 0;

	for (int i = 0; i < RECEIVERS && !rc; i++) {
		if (!can_receive(b, &receivers[i], m))
			continue;
		if (path)
			rc = measure_one(b, NULL, m, &results[NOBODY], 0);
		if (!rc)
			rc = measure_one(b, &receivers[i], m, &results[i],
					 path ? alone->at[alone->n - 1] : 0);
	}
	return rc;
}

int measure_rounds(struct bench *b, const struct measure *m, bool path,
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
	double first = median(&results[RECEIVER_TCPDUMP].cpu_ns);
	bool path = results[NOBODY].rate.n > 0;

	printf("%s\n  %-14s %8s %8s %9s  %8s %8s %8s %7s", title, "", "kpps", "lost", "missing",
	       "CPU ns", "min", "p90", "ratio");
	printf(path ? "  %8s %8s\n" : "\n", "path ns", "min");
	if (path)
		printf("  %-14s %8.0f %56s  %8.1f %8.1f\n", "nobody",
		       median(&results[NOBODY].rate) / 1e3, "", median(&results[NOBODY].path_ns),
		       series_spread(&results[NOBODY].path_ns).min);
	for (int i = 0; i < RECEIVERS; i++) {
		const struct result *r = &results[i];
		struct spread cpu = series_spread(&r->cpu_ns), way = series_spread(&r->path_ns);

		if (!r->rate.n)
			continue;
		printf("  %-14s %8.0f %7.3f%% %9.0f  %8.1f %8.1f %8.1f", receivers[i].name,
		       median(&r->rate) / 1e3, median(&r->lost) * 100, median(&r->missing),
		       cpu.median, cpu.min, cpu.p90);
		if (first > 0)
			printf(" %6.2fx", cpu.median / first);
		else
			printf(" %7s", "-");
		if (path)
			printf("  %+8.1f %+8.1f", way.median, way.min);
		printf("\n");
	}
	printf("\n");
}

void goal_cpu(const struct result results[RESULTS], const char *what, double limit)
{
	struct goal goal = { what, GOAL_AT_MOST, limit, "x" };
	double first = median(&results[RECEIVER_TCPDUMP].cpu_ns);

	for (int i = RECEIVER_SONDE; i <= RECEIVER_SONDE_XDP; i++)
		goal_met(&goal, receivers[i].name, first > 0 && results[i].rate.n > 0,
			 median(&results[i].cpu_ns) / first);
}
