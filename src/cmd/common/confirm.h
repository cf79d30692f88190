/* SPDX-License-Identifier: MIT */
/* Undoes changes unless a user who still reaches this host confirms them. */
#ifndef CMD_COMMON_CONFIRM_H
#define CMD_COMMON_CONFIRM_H

#include "base/opt.h"
#include "cmd/common/cmd.h"

#define CONFIRM_ROW(O, command)                    \
	OPT_TIME(0, "confirm", "TIME", O, confirm, \
		 "undo the change after this time unless it is confirmed, here or by " command)

/* A change that was made, and the words for its messages. */
struct confirm {
	const char *iface;
	const char *change; /* "the new rules are active" */
	/* Commands: one confirms the change, the other shows the current state. */
	const char *confirm, *inspect;
	uint64_t time; /* ns */
	/* Runs in another process. Returns 0 or -errno. Reports errors. */
	int (*undo)(void *arg);
	void *arg;
};

/* Waits for confirmation. A separate process undoes the change if nobody confirms it, even if this
 * process ends. Returns 0 if confirmed, else -errno. Reports errors. */
int cmd_confirm_wait(const struct confirm *c);

/* Options and code of a command that confirms. what: as for cmd_gate_begin(). */
extern const struct opt cmd_confirm_rows[];
int cmd_confirm_run(const struct opt_spec *spec, const char *what, int argc, char **argv);

#endif
