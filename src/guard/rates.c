/* SPDX-License-Identifier: MIT */
/* A copy of what the entries had counted, and a short list kept in order. */
#include "guard/rates.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"

struct guard_seen {
	uint64_t passed, dropped;
	uint32_t quads, since;
};

static void look(const struct guard_table *t, uint32_t entry, struct guard_seen *seen)
{
	const struct guard_rec *rec = guard_table_rec(t, entry);

	*seen = (struct guard_seen){ rec->passed, rec->dropped, rec->quads,
				     guard_table_name(t, entry)->since };
}

int guard_rates_begin(struct guard_rates *r, const struct guard_table *t)
{
	r->seen = calloc(t->entries, sizeof(*r->seen));
	if (!r->seen)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->entries; i++)
		if (guard_table_used(t, i))
			look(t, i, &r->seen[i]);
	r->time = clock_mono();
	return 0;
}

static size_t insert(struct guard_busy *busy, size_t n, size_t most, const struct guard_busy *b)
{
	size_t at = n;

	while (at && busy[at - 1].pps < b->pps)
		at--;
	if (at == most)
		return n;
	n += n < most;
	memmove(&busy[at + 1], &busy[at], (n - 1 - at) * sizeof(*busy));
	busy[at] = *b;
	return n;
}

size_t guard_rates_end(struct guard_rates *r, const struct guard_table *t, struct guard_busy *busy,
		       size_t most)
{
	uint64_t now = clock_mono();
	double seconds = (double)(now - r->time) / 1e9;
	size_t n = 0;

	for (uint32_t i = 0; i < t->entries; i++) {
		struct guard_seen *was = &r->seen[i], is;
		struct guard_busy b = { .entry = i };

		if (!guard_table_used(t, i))
			continue;
		look(t, i, &is);
		if (is.since != was->since) /* another's by now */
			*was = (struct guard_seen){ .since = is.since };
		b.drops = (double)(is.dropped - was->dropped) / seconds;
		b.pps = (double)(is.passed - was->passed) / seconds + b.drops;
		b.bps = (double)(uint32_t)(is.quads - was->quads) * 32 / seconds;
		*was = is;
		if (b.pps > 0)
			n = insert(busy, n, most, &b);
	}
	r->time = now;
	return n;
}

void guard_rates_free(struct guard_rates *r)
{
	free(r->seen);
	*r = (struct guard_rates){ 0 };
}
