/* SPDX-License-Identifier: MIT */
/* The installed gate of one direction of an interface, as commands that change it see it: what is
 * there is read out of the kernel, and another program takes its place with the same counters. */
#ifndef GATE_INSTALL_H
#define GATE_INSTALL_H

#include "gate/load.h"
#include "guard/conns.h"
#include "obj/find.h"

/* Zeroed: closed. */
struct gate_install {
	struct link link;
	enum gate_dir dir;
	struct found at;       /* hook HOOK_NONE: nothing is installed there */
	uint32_t uses;         /* enum gate_user */
	struct gate_conf conf; /* of what is installed */
	struct buf text;       /* its rules (gate/rules.h) */
	struct buf allow;      /* whom its guard trusts, an expression a line */
	int map_fd[GATE_NMAPS];
	int prog_fd;
	/* What gate_install() has put in its place; 0: it has not. */
	struct found put;
	bool off;      /* gate_install() has taken it off */
	bool refilled; /* and filled the table's buckets, for the limits are others */
	struct obj obj;
	struct conns_change conns;
};

/* Find it. 0 also if there is none. Errors are said. */
int gate_install_open(struct gate_install *s, struct nl *nl, const struct link *link,
		      enum gate_dir dir);

struct gate_install_opts {
	unsigned int hooks; /* HOOK_BIT()s, for where there is no gate yet */
	uint32_t uses;      /* enum gate_user; 0: take it off */
	const struct rules *rules;
	const struct guard_plan *guard; /* NULL: none */
	bool verbose;
};

/* Load what is wished and put it there, in one step: no packet passes unjudged. What was there goes
 * on in s, for gate_rollback(). Errors are said, and everything is as it was. Notes tell the hook
 * that was taken. */
int gate_install(struct gate_install *s, struct nl *nl, const struct gate_install_opts *opts);
/* Put back what was there, unless the interface is gone. Said on failure. */
int gate_rollback(struct gate_install *s, struct nl *nl);
void gate_install_close(struct gate_install *s);

/* Change a text's uses without touching the program. Said on failure. */
int gate_set_users(struct gate_install *s, uint32_t uses);

#endif
