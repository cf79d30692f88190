/* SPDX-License-Identifier: MIT */
/* An interface's gate in both directions with its rules, changed as a whole or not at all. */
#ifndef GATE_TRANSACTION_H
#define GATE_TRANSACTION_H

#include "gate/install.h"
#include "gate/rules.h"

/* A set of addresses that rules name, or whom the guard trusts. */
struct gate_txn_set {
	struct filter_set set;
	unsigned int seen; /* directions (bits) whose rules name it */
};

/* Zeroed: closed. */
struct gate_txn {
	struct link link;
	struct gate_install install[GATE_DIRS];
	struct rules rules;     /* to be changed by the caller */
	struct guard_plan plan; /* of the guard that is there */
	bool no_plan;           /* it cannot be read */
	uint16_t last;          /* the greatest id when it was opened */
	/* as the kernel has them, or as gate_txn_put_set() has left them */
	struct gate_txn_set *sets;
	size_t nsets, set_room;
	const struct filter_names *host; /* what else names mean */
	enum gate_dir reading;           /* while the rules that are installed are read */
	int lock_fd;                     /* 0: it was opened for looking only */
};

/* GATE_TXN_CHANGE: nobody else may, until gate_txn_close(); -EBUSY if somebody is at it.
 * GATE_TXN_CLEAR: the same, and the rules that are there are not read, so that none can be in the
 * way. */
enum gate_txn_mode { GATE_TXN_READ, GATE_TXN_CHANGE, GATE_TXN_CLEAR };

/* Find the gates of link and read their rules. names: as for filter_parse(). Errors are said. */
int gate_txn_begin(struct gate_txn *s, struct nl *nl, const struct link *link,
		   const struct filter_names *names, enum gate_txn_mode mode);

/* What names mean here: sets that are known are not read from files again. Valid as long as the
 * site, which is not to be moved. */
struct filter_names gate_txn_names(struct gate_txn *s);
/* The set with this name; NULL. */
struct gate_txn_set *gate_txn_find_set(const struct gate_txn *s, const char *name);
/* Make it known in place of what was; takes set's members over. 0, or -ENOMEM, said. */
int gate_txn_put_set(struct gate_txn *s, const char *name, struct filter_set *set);
/* The rules and the guard's plan anew out of their text, with the sets as they are known now.
 * Errors are said. */
int gate_txn_reparse(struct gate_txn *s);

struct gate_txn_opts {
	unsigned int hooks[GATE_DIRS]; /* HOOK_BIT()s, for where there is no gate yet */
	bool reload;                   /* even if the rules are the same: what they name is not */
	bool verbose;
	const struct guard_plan *guard; /* of what comes in; NULL: as it is */
	bool unguard;                   /* there is to be none */
};

/* Make the rules hold: in each direction in one step. Errors are said, and everything is as it
 * was. */
int gate_txn_commit(struct gate_txn *s, struct nl *nl, const struct gate_txn_opts *opts);
/* What was there before gate_txn_commit() again. */
int gate_txn_rollback(struct gate_txn *s, struct nl *nl);
void gate_txn_close(struct gate_txn *s);

/* What a rule decided on, summed over CPUs. id: RULE_DEFAULT_ID for what a default drops. last is
 * in jiffies. 0 or -errno, unsaid. */
int gate_txn_read_hits(const struct gate_txn *s, enum gate_dir dir, uint16_t id,
		       struct gate_hit *hit);

#endif
