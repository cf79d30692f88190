/* SPDX-License-Identifier: MIT */
/* The guard as commands see it: limits as text, as the gate's conf, and the table in the kernel. */
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
/* What marks a packet that the guard asks about; no packet has a verdict where rules are asked. */
#define GUARD_ASKED "verdict drop"

/* What is to hold. Zeroed: no limits. */
struct guard_plan {
	struct guard_conf conf;
	struct buf allow; /* expressions of packets that pass unlimited, a line each */
	struct filter filters[GUARD_ALLOW_MAX];
	size_t nfilters;
};

/* Begin with the scope of sources that every guard has, and a seed. */
int guard_plan_open(struct guard_plan *p);
void guard_plan_close(struct guard_plan *p);
/* Add a limit: [KEY] RATE [burst BURST] [count|limit|ban TIME]. -EINVAL with *diag. */
int guard_plan_limit(struct guard_plan *p, const char *text, size_t len, struct diag *diag);
/* Add lines of limits; behind '#' is a comment. diag->msg: "LINE:COLUMN: WORDS". */
int guard_plan_file(struct guard_plan *p, const char *text, size_t len, struct diag *diag);
/* Packets that match pass. -EINVAL with *diag. */
int guard_plan_allow(struct guard_plan *p, const char *expr, const struct filter_names *names,
		     struct diag *diag);
/* Forget who may pass. */
void guard_plan_disallow(struct guard_plan *p);
/* To be called when all limits are there: what follows from them. before: of the guard whose table
 * goes on; NULL: there is none. */
int guard_plan_settle(struct guard_plan *p, const struct guard_conf *before);

/* Append a limit as guard_plan_limit() takes it. */
void guard_print_limit(const struct guard_scope *scope, const struct guard_limit *limit,
		       struct buf *out);
/* Append whose an entry is: "192.0.2.1", "2001:db8::/64", "192.0.2.1 port 53 to 5353". */
void guard_print_name(const struct guard_name *name, struct buf *out);
/* The limit with a number; NULL. */
const struct guard_limit *guard_limit_of(const struct guard_conf *conf, uint8_t number,
					 const struct guard_scope **scope);

/* The table, mapped. Zeroed: closed. */
struct guard_table {
	const struct guard_conf *conf; /* the caller's */
	struct guard_line *lines;
	size_t size;
	uint32_t entries;
	uint32_t tick; /* at guard_table_open() and guard_table_now() */
};
int guard_table_open(struct guard_table *t, const struct guard_conf *conf, int fd);
void guard_table_close(struct guard_table *t);
void guard_table_now(struct guard_table *t);
/* Whether an entry is used, and where its parts are. */
bool guard_table_used(const struct guard_table *t, uint32_t entry);
struct guard_rec *guard_table_rec(const struct guard_table *t, uint32_t entry);
struct guard_name *guard_table_name(const struct guard_table *t, uint32_t entry);
/* Connections of an entry that are open and counted. */
uint64_t guard_table_open_conns(const struct guard_table *t, const struct guard_rec *rec);
/* A ban by hand, or the end of one (ticks 0). addr: 4 or 16 bytes. -ENOENT: it has none; -ENOSPC:
 * there is no room for it. */
int guard_table_ban(struct guard_table *t, int family, const void *addr, uint32_t ticks);
/* All buckets are full: those of limits that are not the ones of before, and of a new table. */
void guard_table_refill(struct guard_table *t);
/* Nobody has counted for a while: no connection is known to be open. */
void guard_table_forget_conns(struct guard_table *t);

/* Seconds of ticks. */
static inline double guard_seconds(int32_t ticks)
{
	return (double)ticks * (1ull << GUARD_TICK_SHIFT) / 1e9;
}
/* Ticks of nanoseconds, 1 at least, half of what goes round at most. */
uint32_t guard_ticks_of(uint64_t ns);

/* The sums over all CPUs. 0 or -errno. */
int guard_sums_read(int fd, struct guard_sums *sums);

#endif
