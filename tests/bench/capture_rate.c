/* SPDX-License-Identifier: MIT */
/* Finds the highest rate at which a receiver loses at most LOSS_MAX, by bisection. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include "base/array.h"
#include "tests/bench/capture.h"

enum { STEPS = 6 };
#define LOSS_MAX 0.001
#define SPAN     64 /* the search starts at this part of the full speed */

struct best_rate {
	double rate;
	bool at_full_speed; /* no loss at full speed: the limit may be higher */
	bool below_range;   /* loss even at the lowest rate of the search */
};

/* Repeats a run with loss, which another process may have caused. */
static int check_rate(struct bench *b, struct receiver *r, const struct measure_opts *m,
		      struct sample *s, bool *is_met)
{
	int rc = measure_receiver(b, r, m, s);

	if (!rc && s->lost > LOSS_MAX)
		rc = measure_receiver(b, r, m, s);
	*is_met = s->lost <= LOSS_MAX;
	return rc;
}

static int find_rate(struct bench *b, struct receiver *r, unsigned int size, struct best_rate *best)
{
	struct measure_opts m = { .flood = { .size = size }, .seconds = b->opts.seconds };
	struct sample s = { 0 };
	double low, high;
	int rc = check_rate(b, r, &m, &s, &best->at_full_speed);

	if (rc)
		return rc;
	best->rate = high = s.rate;
	low = high / SPAN;
	best->below_range = !best->at_full_speed;
	for (int i = 0; i < STEPS && !best->at_full_speed && !rc; i++) {
		bool is_met = false;

		m.flood.rate = (uint64_t)sqrt(low * high);
		rc = check_rate(b, r, &m, &s, &is_met);
		if (is_met) {
			low = (double)m.flood.rate;
			best->below_range = false;
		} else {
			high = (double)m.flood.rate;
		}
		best->rate = low;
	}
	return rc;
}

static int search_size(struct bench *b, unsigned int size, const char *what)
{
	static const int ids[] = { RECEIVER_TCPDUMP, RECEIVER_SONDE, RECEIVER_SONDE_XDP };
	const struct goal goal = { what, GOAL_AT_LEAST, 1.5, "x" };
	double first = 0;
	int rc = 0;

	printf("Highest rate with at most 0.1 %% loss, %u bytes to /dev/null\n"
	       "  %-14s %8s %8s\n",
	       size, "", "kpps", "ratio");
	for (unsigned int i = 0; i < ARRAY_LEN(ids) && !rc; i++) {
		struct receiver *r = &receivers[ids[i]];
		struct best_rate f = { 0 };

		if (!r->missing && bench_is_selected(b->opts.contenders, r->name))
			rc = find_rate(b, r, size, &f);
		rc = rc == -ENOEXEC ? 0 : rc;
		if (ids[i] == RECEIVER_TCPDUMP)
			first = f.rate;
		else
			goals_add(&goal, r->name, first > 0 && f.rate > 0, f.rate / first);
		if (!rc && f.rate > 0)
			printf("  %-14s %8.0f %7.2fx%s\n", r->name, f.rate / 1e3,
			       first > 0 ? f.rate / first : 0,
			       f.at_full_speed ? "  (no loss at full speed)"
			       : f.below_range ? "  (or lower)"
					       : "");
	}
	printf("\n");
	return rc;
}

int capture_rate(struct bench *b)
{
	int rc = search_size(b, 64, "64 bytes: rate without loss relative to tcpdump");

	return rc ? rc : search_size(b, 1400, "1400 bytes: rate without loss relative to tcpdump");
}
