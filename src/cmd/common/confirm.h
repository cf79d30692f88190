/* SPDX-License-Identifier: MIT */
/* Changes that are taken back unless somebody who can still reach this host says that they are
 * good. */
#ifndef CMD_COMMON_CONFIRM_H
#define CMD_COMMON_CONFIRM_H

#include "base/opt.h"
#include "cmd/common/cmd.h"

#define CONFIRM_ROW(O, command)                    \
	OPT_TIME(0, "confirm", "TIME", O, confirm, \
		 "take it all back after this time, unless it is confirmed here, or by " command)

/* A change that has been made, and its words. */
struct confirm {
	const char *iface;
	const char *hold, *them; /* "the rules hold", "them" */
	const char *say, *look;  /* commands that confirm, and that show what is there */
	uint64_t time;           /* ns */
	int (*undo)(void *arg);  /* 0, or an error that was said; in another process */
	void *arg;
};

/* Wait for somebody to confirm, in a process of its own that takes all back if nobody does,
 * whatever becomes of this one. 0: confirmed. Else -errno, said. */
int cmd_confirm_wait(const struct confirm *c);

/* A command that confirms. what: as for cmd_gate_begin(). */
extern const struct opt cmd_confirm_rows[];
int cmd_confirm_run(const struct opt_spec *spec, const char *what, int argc, char **argv);

#endif
