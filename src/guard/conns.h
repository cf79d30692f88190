/* SPDX-License-Identifier: MIT */
/* The counting of connections that a guard's limits of them need: a program at the root of the
 * cgroups, which stays like the gate whose table it writes to. */
#ifndef GUARD_CONNS_H
#define GUARD_CONNS_H

#include "bpf/guard_conns.h"
#include "obj/find.h"
#include "obj/obj.h"

/* A change of it. Zeroed: none. */
struct conns {
	int was_fd; /* what counted before; 0: nothing did */
	int now_fd; /* what does since; 0: nothing does. obj's */
	bool lost;  /* it does not know whom the former one has counted */
	struct obj obj;
};

/* What is to be counted, and where. */
struct conns_opts {
	const struct guard_conf *guard;
	int table_fd, sums_fd; /* maps of the gate */
	bool same; /* the table is the one of before: who was counted in there will be counted out,
		    * even if no more are */
};

/* Count for want (NULL: no more) in the place of what counts for the gate whose map `guard` has
 * the id was_table (0: none). c is for conns_rollback() and conns_close(). Errors are said, and
 * everything is as it was. */
int conns_replace(struct conns *c, uint32_t was_table, const struct conns_opts *want);
/* Count no more for the gate whose map `guard` has this id. Errors are said. */
int conns_stop(uint32_t table);
/* What was there before conns_replace() again. 0 or -errno, unsaid. */
int conns_rollback(struct conns *c);
void conns_close(struct conns *c);

/* The id of the map `guard` of a program; 0: it has none. */
uint32_t conns_table(const struct find_prog *prog);
/* Take off what counts for gates that are gone, for their interfaces are. Returns how many; -errno,
 * unsaid. */
int conns_sweep(void);

#endif
