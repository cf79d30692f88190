/* SPDX-License-Identifier: MIT */
/* The guard in user space: limits as text and as the gate's conf, and the table in the kernel. */
#ifndef GUARD_GUARD_H
#define GUARD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/diag.h"
#include "bpf/gate.h"
#include "filter/filter.h"

enum { GUARD_ALLOW_MAX = 32 };
/* Marks a packet for which the guard asks whether it is allowed. Packets have no verdict yet where
 * rules are evaluated, so no rule matches this by accident. */
#define GUARD_QUERY "verdict drop"

/* The limits to install. Zeroed: none. */
struct guard_plan {
	struct guard_conf conf;
	struct buf allow; /* expressions of packets that pass without limits, one a line */
	struct filter filters[GUARD_ALLOW_MAX];
	size_t nfilters;
};

/* Starts a plan with the scope of sources, which every guard has, and a random seed. Returns 0 or
 * -errno. */
int guard_plan_open(struct guard_plan *p);
void guard_plan_close(struct guard_plan *p);
/* Adds a limit: [KEY] RATE [burst BURST] [count|limit|ban TIME]. Returns 0, or -EINVAL with
 * *diag. */
int guard_plan_add_limit(struct guard_plan *p, const char *text, size_t len, struct diag *diag);
/* Adds limits, one a line; comments start with '#'. Returns 0, or -EINVAL with diag->msg
 * "LINE:COLUMN: MESSAGE". */
int guard_plan_parse_file(struct guard_plan *p, const char *text, size_t len, struct diag *diag);
/* Lets packets that match an expression pass without limits. Returns 0, -ENOMEM, or -EINVAL with
 * *diag. */
int guard_plan_add_allow(struct guard_plan *p, const char *expr, const struct filter_names *names,
			 struct diag *diag);
/* Removes these expressions. */
void guard_plan_clear_allow(struct guard_plan *p);
/* Computes what follows from the limits. Call it when all of them are added. before: conf of the
 * guard whose table is kept; NULL: the table is new. Returns 0 or -errno. */
int guard_plan_finish(struct guard_plan *p, const struct guard_conf *before);

/* Appends a limit, in the form that guard_plan_add_limit() reads. */
void guard_print_limit(const struct guard_scope *scope, const struct guard_limit *limit,
		       struct buf *out);
/* Appends an entry's key: "192.0.2.1", "2001:db8::/64", "192.0.2.1 port 53 to 5353". */
void guard_print_name(const struct guard_name *name, struct buf *out);
/* Returns the limit with this number, and its scope; NULL: none. */
const struct guard_limit *guard_find_limit(const struct guard_conf *conf, uint8_t number,
					   const struct guard_scope **scope);

/* The table in the kernel, mapped. Zeroed: closed. */
struct guard_table {
	const struct guard_conf *conf; /* owned by the caller */
	struct guard_line *lines;
	size_t size;
	uint32_t entries;
	/* the time of guard_table_open() or of the last guard_table_update_clock() */
	uint32_t tick;
};
int guard_table_open(struct guard_table *t, const struct guard_conf *conf, int fd);
void guard_table_close(struct guard_table *t);
void guard_table_update_clock(struct guard_table *t);
/* Returns true if the entry is in use. The other two return its parts. */
bool guard_table_is_used(const struct guard_table *t, uint32_t entry);
struct guard_rec *guard_table_rec(const struct guard_table *t, uint32_t entry);
struct guard_name *guard_table_name(const struct guard_table *t, uint32_t entry);
/* Open connections that were counted for an entry. */
uint64_t guard_table_open_conns(const struct guard_table *t, const struct guard_rec *rec);
/* Bans an address by hand for so many ticks; 0: ends its ban. addr: 4 or 16 bytes, network byte
 * order. Returns 0, -ENOENT if it is not banned, -ENOSPC if the table has no room for it. */
int guard_table_set_ban(struct guard_table *t, int family, const void *addr, uint32_t ticks);
/* Fills all buckets: of a new table, or when other limits take over an old one. */
void guard_table_fill_buckets(struct guard_table *t);
/* Sets the open connections of all entries to 0, for connections were not counted for a while. */
void guard_table_clear_conns(struct guard_table *t);

/* Ticks to seconds. */
static inline double guard_seconds(int32_t ticks)
{
	return (double)ticks * (1ull << GUARD_TICK_SHIFT) / 1e9;
}
/* Nanoseconds to ticks, rounded up, at most half of the tick's range. */
uint32_t guard_ticks_from_ns(uint64_t ns);

/* Reads the sums over all CPUs. Returns 0 or -errno. */
int guard_sums_read(int fd, struct guard_sums *sums);

#endif
