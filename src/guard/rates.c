/* SPDX-License-Identifier: MIT */
/* Keeps a copy of each entry's counters, and a short sorted list of the busiest entries. */
#include "guard/rates.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"

struct guard_reading {
	uint64_t passed, dropped;
	uint32_t bytes_div4, created;
};

static void sample_entry(const struct guard_table *t, uint32_t entry, struct guard_reading *sample)
{
	const struct guard_rec *rec = guard_table_rec(t, entry);

	*sample = (struct guard_reading){ rec->passed, rec->dropped, rec->bytes_div4,
					  guard_table_name(t, entry)->created };
}

int guard_rates_begin(struct guard_rates *r, const struct guard_table *t)
{
	r->samples = calloc(t->entries, sizeof(*r->samples));
	if (!r->samples)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->entries; i++)
		if (guard_table_is_used(t, i))
			sample_entry(t, i, &r->samples[i]);
	r->time = clock_mono();
	return 0;
}

static size_t insert_busy(struct guard_busy *busy, size_t n, size_t max, const struct guard_busy *b)
{
	size_t at = n;

	while (at && busy[at - 1].pps < b->pps)
		at--;
	if (at == max)
		return n;
	n += n < max;
	memmove(&busy[at + 1], &busy[at], (n - 1 - at) * sizeof(*busy));
	busy[at] = *b;
	return n;
}

size_t guard_rates_read(struct guard_rates *r, const struct guard_table *t, struct guard_busy *busy,
			size_t max)
{
	uint64_t now = clock_mono();
	double seconds = (double)(now - r->time) / 1e9;
	size_t n = 0;

	for (uint32_t i = 0; i < t->entries; i++) {
		struct guard_reading *before = &r->samples[i], after;
		struct guard_busy b = { .entry = i };

		if (!guard_table_is_used(t, i))
			continue;
		sample_entry(t, i, &after);
		if (after.created != before->created) /* it belongs to another key now */
			*before = (struct guard_reading){ .created = after.created };
		b.drops = (double)(after.dropped - before->dropped) / seconds;
		b.pps = (double)(after.passed - before->passed) / seconds + b.drops;
		b.bps = (double)(uint32_t)(after.bytes_div4 - before->bytes_div4) * 32 / seconds;
		*before = after;
		if (b.pps > 0)
			n = insert_busy(busy, n, max, &b);
	}
	r->time = now;
	return n;
}

void guard_rates_free(struct guard_rates *r)
{
	free(r->samples);
	*r = (struct guard_rates){ 0 };
}
