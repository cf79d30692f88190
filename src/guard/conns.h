/* SPDX-License-Identifier: MIT */
/* Counts connections for a guard's limits on them: a program at the root cgroup, which stays
 * installed like the gate whose table it writes to. */
#ifndef GUARD_CONNS_H
#define GUARD_CONNS_H

#include "bpf/guard_conns.h"
#include "obj/find.h"
#include "obj/obj.h"

/* A replacement of the counting program, for conns_rollback(). Zeroed: closed. */
struct conns_change {
	int old_fd;      /* counted before; 0: none */
	int new_fd;      /* counts now; 0: none. Owned by obj */
	bool lost_conns; /* the new program does not know which open connections the old one counted
			  */
	struct obj obj;
};

/* What to count, and where. */
struct conns_opts {
	const struct guard_conf *guard;
	int table_fd, sums_fd; /* maps of the gate */
	bool same_table; /* the table is the same as before: its open connections have to be counted
			    out when they close, even if the new limits are not on connections */
};

/* Installs a program that counts for opts (NULL: none), in place of the one that counts for the
 * gate whose map `guard` has the id old_table (0: no gate). *c is for conns_rollback() and
 * conns_close(). Returns 0 or -errno. Reports errors; on failure nothing has changed. */
int conns_replace(struct conns_change *c, uint32_t old_table, const struct conns_opts *opts);
/* Stops counting for the gate whose map `guard` has this id. Returns 0 or -errno. Reports
 * errors. */
int conns_stop(uint32_t table);
/* Restores the program that conns_replace() replaced. Returns 0 or -errno. Does not report
 * errors. */
int conns_rollback(struct conns_change *c);
void conns_close(struct conns_change *c);

/* Returns the id of a program's map `guard`; 0: it has none. */
uint32_t conns_table_id(const struct find_prog *prog);
/* Detaches programs that count for gates that no longer exist, because their interfaces are gone.
 * Returns their number or -errno. Does not report errors. */
int conns_sweep(void);

#endif
