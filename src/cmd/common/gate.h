/* SPDX-License-Identifier: MIT */
/* Options and first steps of commands that change gates. */
#ifndef CMD_COMMON_GATE_H
#define CMD_COMMON_GATE_H

#include "cmd/common/opts.h"
#include "sys/link.h"

#define GATE_ROWS_WHERE(O) OPT_ROW_IFACES(O, "work on this interface"), OPT_ROW_NETNS(O)
#define GATE_ROWS_PUT(O, more)                                                     \
	OPT_CHOICE(0, "at", "HOOK", O, at, cmd_gate_at,                            \
		   "hook to use if none is in use yet; any is XDP, else tc" more), \
		OPT_ROW_QUIET(O, "do not print which hooks are used"), OPT_ROW_VERBOSE(O)

/* The choices of --at, and the hooks for incoming packets of each (HOOK_BIT()s of obj/attach.h). */
extern const char *const cmd_gate_at[];
extern const unsigned int cmd_gate_hooks[];

/* Checks the privileges (what: "rules in the kernel need") and enters the namespace. Returns 0 or
 * -errno. Reports errors. */
int cmd_gate_begin(const char *what, const char *netns);
/* Gets an interface by its name. Returns 0 or -errno. Reports errors. */
int cmd_gate_link(struct nl *nl, const char *name, struct link *link);

#endif
