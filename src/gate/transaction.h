/* SPDX-License-Identifier: MIT */
/* Changes an interface's gates in both directions, with their rules: all of it or nothing. */
#ifndef GATE_TRANSACTION_H
#define GATE_TRANSACTION_H

#include "gate/install.h"
#include "gate/rules.h"

/* A set of addresses that the rules or the guard's expressions name. */
struct gate_txn_set {
	struct filter_set set;
	unsigned int used_in; /* directions (bits) whose rules name it */
};

/* Zeroed: closed. */
struct gate_txn {
	struct link link;
	struct gate_install install[GATE_DIRS];
	struct rules rules;     /* the caller changes these */
	struct guard_plan plan; /* of the installed guard */
	bool plan_unreadable;   /* the installed guard's expressions cannot be parsed */
	uint16_t max_id;        /* the greatest id of the installed rules */
	/* as in the kernel, or as set by gate_txn_replace_set() */
	struct gate_txn_set *sets;
	size_t nsets, set_room;
	const struct filter_names *base_names; /* resolves all other names */
	/* the direction whose installed rules are being read; else GATE_DIRS */
	enum gate_dir reading;
	int lock_fd; /* 0: opened for reading only */
};

/* GATE_TXN_CHANGE: takes the interface's lock until gate_txn_close(); -EBUSY if another process has
 * it. GATE_TXN_CLEAR: the same, without reading the installed rules, so that none of them can cause
 * an error. */
enum gate_txn_mode { GATE_TXN_READ, GATE_TXN_CHANGE, GATE_TXN_CLEAR };

/* Finds the gates of link and reads their rules. names: as for filter_parse(). Returns 0 or -errno.
 * Reports errors. */
int gate_txn_begin(struct gate_txn *txn, struct nl *nl, const struct link *link,
		   const struct filter_names *names, enum gate_txn_mode mode);

/* Resolves names for this transaction: known sets are not read from files again. Valid as long as
 * *txn, which must not move. */
struct filter_names gate_txn_names(struct gate_txn *txn);
/* Returns the set with this name; NULL: none. */
struct gate_txn_set *gate_txn_find_set(const struct gate_txn *txn, const char *name);
/* Adds or replaces a set, and takes over its members. Returns 0 or -ENOMEM. Reports errors. */
int gate_txn_replace_set(struct gate_txn *txn, const char *name, struct filter_set *set);
/* Parses the rules and the guard's plan again from their text, with the present sets. Returns 0 or
 * -errno. Reports errors. */
int gate_txn_reparse(struct gate_txn *txn);

struct gate_txn_opts {
	unsigned int hooks[GATE_DIRS]; /* HOOK_BIT()s to try if no gate is installed yet */
	bool reload; /* replace the program even if the rules are the same, as sets that they name
			changed */
	bool verbose;
	bool quiet;                     /* do not note the hook in use */
	const struct guard_plan *guard; /* the guard to install; NULL: no change */
	bool unguard;                   /* remove the guard */
};

/* Installs the rules, each direction in one step. Returns 0 or -errno. Reports errors; on failure
 * nothing has changed. */
int gate_txn_commit(struct gate_txn *txn, struct nl *nl, const struct gate_txn_opts *opts);
/* Restores what was installed before gate_txn_commit(). Returns 0 or -errno. Reports errors. */
int gate_txn_rollback(struct gate_txn *txn, struct nl *nl);
void gate_txn_close(struct gate_txn *txn);

/* Reads a rule's hits, summed over CPUs. id: RULE_DEFAULT_ID for the default. hit->last is in
 * jiffies. Returns 0 or -errno. Does not report errors. */
int gate_txn_read_hits(const struct gate_txn *txn, enum gate_dir dir, uint16_t id,
		       struct gate_hit *hit);

#endif
