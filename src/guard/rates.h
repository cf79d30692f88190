/* SPDX-License-Identifier: MIT */
/* The busiest entries of a guard between two readings of its table. */
#ifndef GUARD_RATES_H
#define GUARD_RATES_H

#include "guard/guard.h"

enum { GUARD_BUSIEST = 3 }; /* number of sources that an incident names */

struct guard_busy {
	uint32_t entry;
	double pps, bps, drops;
};

/* Zeroed: closed. */
struct guard_rates {
	struct guard_reading *samples; /* one for each entry */
	uint64_t time;
};

/* Takes the first reading. Returns 0 or -ENOMEM. */
int guard_rates_begin(struct guard_rates *r, const struct guard_table *t);
/* Takes the next reading, and stores the busiest entries since the last one, at most max, the
 * busiest first. Returns their number. */
size_t guard_rates_read(struct guard_rates *r, const struct guard_table *t, struct guard_busy *busy,
			size_t max);
void guard_rates_free(struct guard_rates *r);

#endif
