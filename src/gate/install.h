/* SPDX-License-Identifier: MIT */
/* The installed gate of one direction of an interface, for commands that change it: finds it in the
 * kernel, and replaces its program, which keeps the counters. */
#ifndef GATE_INSTALL_H
#define GATE_INSTALL_H

#include "gate/load.h"
#include "guard/conns.h"
#include "obj/find.h"

/* Zeroed: closed. */
struct gate_install {
	struct link link;
	enum gate_dir dir;
	struct found current;  /* hook HOOK_NONE: nothing is installed */
	uint32_t users;        /* enum gate_user */
	struct gate_conf conf; /* of the installed gate */
	struct buf text;       /* its rules (gate/rules.h) */
	struct buf allow; /* expressions for packets that its guard passes without limits, one per
			     line */
	int map_fd[GATE_NMAPS];
	int prog_fd;
	/* The program that gate_install() attached; hook HOOK_NONE: none. */
	struct found placed;
	bool removed;          /* gate_install() has detached the current program */
	bool buckets_refilled; /* and filled the table's buckets, as the limits changed */
	struct obj obj;
	struct conns_change conns;
};

/* Finds the installed gate. Returns 0, also if there is none, or -errno. Reports errors. */
int gate_install_open(struct gate_install *inst, struct nl *nl, const struct link *link,
		      enum gate_dir dir);

struct gate_install_opts {
	unsigned int hooks; /* HOOK_BIT()s to try if no gate is installed yet */
	uint32_t users;     /* enum gate_user; 0: detach it */
	const struct rules *rules;
	const struct guard_plan *guard; /* NULL: none */
	bool verbose;
	bool quiet; /* do not note the hook in use */
};

/* Installs a gate with these options, in one step: no packet passes without a verdict. Keeps the
 * previous gate in *inst for gate_rollback(). Notes the hook in use. Returns 0 or -errno. Reports
 * errors; on failure nothing has changed. */
int gate_install(struct gate_install *inst, struct nl *nl, const struct gate_install_opts *opts);
/* Restores the previous gate, unless the interface is gone. Returns 0 or -errno. Reports errors. */
int gate_rollback(struct gate_install *inst, struct nl *nl);
void gate_install_close(struct gate_install *inst);

/* Changes who uses the gate, without replacing its program. Returns 0 or -errno. Reports errors. */
int gate_set_users(struct gate_install *inst, uint32_t users);

#endif
