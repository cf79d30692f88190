/* SPDX-License-Identifier: MIT */
/* The highest rate at which a receiver loses next to nothing, found by halving. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include "base/array.h"
#include "tests/bench/capture.h"

enum { STEPS = 6 };
#define LOSS_MAX 0.001
#define SPAN     64 /* the search begins at a part of the full speed */

struct found {
	double rate;
	bool full;  /* at full speed: there may be more in it */
	bool below; /* it loses even there */
};

/* Lost twice: once may have been somebody else's doing. */
static int holds(struct bench *b, struct receiver *r, const struct measure *m, struct sample *s,
		 bool *held)
{
	int rc = measure(b, r, m, s);

	if (!rc && s->lost > LOSS_MAX)
		rc = measure(b, r, m, s);
	*held = s->lost <= LOSS_MAX;
	return rc;
}

static int find(struct bench *b, struct receiver *r, unsigned int size, struct found *found)
{
	struct measure m = { .flood = { .size = size }, .seconds = b->opts.seconds };
	struct sample s = { 0 };
	double low, high;
	int rc = holds(b, r, &m, &s, &found->full);

	if (rc)
		return rc;
	found->rate = high = s.rate;
	low = high / SPAN;
	found->below = !found->full;
	for (int i = 0; i < STEPS && !found->full && !rc; i++) {
		bool held = false;

		m.flood.rate = (uint64_t)sqrt(low * high);
		rc = holds(b, r, &m, &s, &held);
		if (held) {
			low = (double)m.flood.rate;
			found->below = false;
		} else {
			high = (double)m.flood.rate;
		}
		found->rate = low;
	}
	return rc;
}

static int search_size(struct bench *b, unsigned int size, const char *what)
{
	static const int who[] = { RECEIVER_TCPDUMP, RECEIVER_SONDE, RECEIVER_SONDE_XDP };
	const struct goal goal = { what, GOAL_AT_LEAST, 1.5, "x" };
	double first = 0;
	int rc = 0;

	printf("The highest rate at which at most 0.1 %% is lost, %u bytes to /dev/null\n"
	       "  %-14s %8s %8s\n",
	       size, "", "kpps", "ratio");
	for (unsigned int i = 0; i < ARRAY_LEN(who) && !rc; i++) {
		struct receiver *r = &receivers[who[i]];
		struct found f = { 0 };

		if (!r->absent && bench_chosen(b->opts.only, r->name))
			rc = find(b, r, size, &f);
		rc = rc == -ENOEXEC ? 0 : rc;
		if (who[i] == RECEIVER_TCPDUMP)
			first = f.rate;
		else
			goal_met(&goal, r->name, first > 0 && f.rate > 0, f.rate / first);
		if (!rc && f.rate > 0)
			printf("  %-14s %8.0f %7.2fx%s\n", r->name, f.rate / 1e3,
			       first > 0 ? f.rate / first : 0,
			       f.full    ? "  (no loss at full speed)"
			       : f.below ? "  (or less)"
					 : "");
	}
	printf("\n");
	return rc;
}

int capture_rate(struct bench *b)
{
	int rc = search_size(b, 64, "64 bytes: rate at which loss starts, of tcpdump's");

	return rc ? rc
		  : search_size(b, 1400, "1400 bytes: rate at which loss starts, of tcpdump's");
}
