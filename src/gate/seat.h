/* SPDX-License-Identifier: MIT */
/* The installed gate of one direction of an interface, as commands that change it see it: what is
 * there is read out of the kernel, and another program takes its place with the same counters. */
#ifndef GATE_SEAT_H
#define GATE_SEAT_H

#include "gate/conns.h"
#include "gate/load.h"
#include "obj/find.h"

/* Zeroed: closed. */
struct seat {
	struct link link;
	enum gate_dir dir;
	struct found at;       /* hook HOOK_NONE: nothing is installed there */
	uint32_t uses;         /* enum gate_use */
	struct gate_conf conf; /* of what is installed */
	struct buf text;       /* its rules (gate/rules.h) */
	struct buf allow;      /* whom its guard trusts, an expression a line */
	int map_fd[GATE_NMAPS];
	int prog_fd;
	/* What seat_put() has put in its place; 0: it has not. */
	struct found put;
	bool off;      /* seat_put() has taken it off */
	bool refilled; /* and filled the table's buckets, for the limits are others */
	struct obj obj;
	struct conns conns;
};

/* Find it. 0 also if there is none. Errors are said. */
int seat_open(struct seat *s, struct nl *nl, const struct link *link, enum gate_dir dir);

struct seat_wish {
	unsigned int hooks; /* HOOK_BIT()s, for where there is no gate yet */
	uint32_t uses;      /* enum gate_use; 0: take it off */
	const struct rules *rules;
	const struct guard_plan *guard; /* NULL: none */
	bool verbose;
};

/* Load what is wished and put it there, in one step: no packet passes unjudged. What was there goes
 * on in s, for seat_undo(). Errors are said, and everything is as it was. Notes tell the hook that
 * was taken. */
int seat_put(struct seat *s, struct nl *nl, const struct seat_wish *wish);
/* Put back what was there, unless the interface is gone. Said on failure. */
int seat_undo(struct seat *s, struct nl *nl);
void seat_close(struct seat *s);

/* Change a text's uses without touching the program. Said on failure. */
int seat_use(struct seat *s, uint32_t uses);

#endif
