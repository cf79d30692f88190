/* SPDX-License-Identifier: MIT */
/* The installed guards with their tables, for reading and for changing bans. */
#ifndef GATE_GUARD_VIEW_H
#define GATE_GUARD_VIEW_H

#include "base/opt.h"
#include "gate/install.h"
#include "guard/guard.h"

/* An installed guard and its table. Zeroed: closed. */
struct guard_view {
	struct gate_install install;
	struct guard_table table;
	struct guard_sums sums;
};

/* The guards of several interfaces. Zeroed: closed. */
struct guard_views {
	struct nl nl;
	struct guard_view *at;
	size_t n;
};

/* Finds the guards of these interfaces; of every interface if there are no names. Returns 0 or
 * -errno; -ENOENT if none has a guard. Reports errors. */
int guard_views_open(struct guard_views *v, const struct opt_list *ifaces);
/* Reads their counters and the table's clock. Returns 0 or -errno. Reports errors. */
int guard_views_read(struct guard_views *v);
void guard_views_close(struct guard_views *v);

#endif
