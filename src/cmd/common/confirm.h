/* SPDX-License-Identifier: MIT */
/* Changes that are undone unless somebody who can still reach this host confirms them. */
#ifndef CMD_COMMON_CONFIRM_H
#define CMD_COMMON_CONFIRM_H

#include "base/opt.h"
#include "cmd/common/cmd.h"

#define CONFIRM_ROW(O, command)                    \
	OPT_TIME(0, "confirm", "TIME", O, confirm, \
		 "undo the change after this time unless it is confirmed, here or by " command)

/* A change that has been made, and how to speak of it. */
struct confirm {
	const char *iface;
	const char *change; /* "the new rules are active" */
	const char *confirm,
		*inspect;       /* the commands that confirm it, and that show what is active */
	uint64_t time;          /* ns */
	int (*undo)(void *arg); /* 0 or an error, which it reports; in another process */
	void *arg;
};

/* Wait for somebody to confirm. A process of its own undoes the change if nobody does, whatever
 * becomes of this one. 0: confirmed; else -errno. Reports errors. */
int cmd_confirm_wait(const struct confirm *c);

/* A command that confirms. what: as for cmd_gate_begin(). */
extern const struct opt cmd_confirm_rows[];
int cmd_confirm_run(const struct opt_spec *spec, const char *what, int argc, char **argv);

#endif
