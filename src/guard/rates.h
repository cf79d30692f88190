/* SPDX-License-Identifier: MIT */
/* The busiest of a guard's entries between two looks at its table. */
#ifndef GUARD_RATES_H
#define GUARD_RATES_H

#include "guard/guard.h"

enum { GUARD_BUSIEST = 3 }; /* so many are named of an incident */

struct guard_busy {
	uint32_t entry;
	double pps, bps, drops;
};

/* Zeroed: empty. */
struct guard_rates {
	struct guard_seen *seen; /* one an entry */
	uint64_t time;
};

/* The first look. -ENOMEM. */
int guard_rates_begin(struct guard_rates *r, const struct guard_table *t);
/* The next: the busiest first, at most `most`; their number. It is the first of another, too. */
size_t guard_rates_end(struct guard_rates *r, const struct guard_table *t, struct guard_busy *busy,
		       size_t most);
void guard_rates_free(struct guard_rates *r);

#endif
