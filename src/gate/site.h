/* SPDX-License-Identifier: MIT */
/* An interface's gate in both directions with its rules, changed as a whole or not at all. */
#ifndef GATE_SITE_H
#define GATE_SITE_H

#include "gate/rules.h"
#include "gate/seat.h"

/* A set of addresses that rules name, or whom the guard trusts. */
struct site_set {
	struct filter_set set;
	unsigned int seen; /* directions (bits) whose rules name it */
};

/* Zeroed: closed. */
struct site {
	struct link link;
	struct seat seat[GATE_DIRS];
	struct rules rules;     /* to be changed by the caller */
	struct guard_plan plan; /* of the guard that is there */
	bool no_plan;           /* it cannot be read */
	uint16_t last;          /* the greatest id when it was opened */
	struct site_set *sets;  /* as the kernel has them, or as site_put_set() has left them */
	size_t nsets, set_room;
	const struct filter_names *host; /* what else names mean */
	enum gate_dir reading;           /* while the rules that are installed are read */
	int lock_fd;                     /* 0: it was opened for looking only */
};

/* SITE_CHANGE: nobody else may, until site_close(); -EBUSY if somebody is at it. SITE_CLEAR: the
 * same, and the rules that are there are not read, so that none can be in the way. */
enum site_mode { SITE_LOOK, SITE_CHANGE, SITE_CLEAR };

/* Find the gates of link and read their rules. names: as for filter_parse(). Errors are said. */
int site_open(struct site *s, struct nl *nl, const struct link *link,
	      const struct filter_names *names, enum site_mode mode);

/* What names mean here: sets that are known are not read from files again. Valid as long as the
 * site, which is not to be moved. */
struct filter_names site_names(struct site *s);
/* The set with this name; NULL. */
struct site_set *site_set(const struct site *s, const char *name);
/* Make it known in place of what was; takes set's members over. 0, or -ENOMEM, said. */
int site_put_set(struct site *s, const char *name, struct filter_set *set);
/* The rules and the guard's plan anew out of their text, with the sets as they are known now.
 * Errors are said. */
int site_reread(struct site *s);

struct site_wish {
	unsigned int hooks[GATE_DIRS]; /* HOOK_BIT()s, for where there is no gate yet */
	bool reload;                   /* even if the rules are the same: what they name is not */
	bool verbose;
	const struct guard_plan *guard; /* of what comes in; NULL: as it is */
	bool unguard;                   /* there is to be none */
};

/* Make the rules hold: in each direction in one step. Errors are said, and everything is as it
 * was. */
int site_apply(struct site *s, struct nl *nl, const struct site_wish *wish);
/* What was there before site_apply() again. */
int site_undo(struct site *s, struct nl *nl);
void site_close(struct site *s);

/* What a rule decided on, summed over CPUs. id: RULE_DEFAULT_ID for what a default drops. last is
 * in jiffies. 0 or -errno, unsaid. */
int site_hits(const struct site *s, enum gate_dir dir, uint16_t id, struct gate_hit *hit);

#endif
