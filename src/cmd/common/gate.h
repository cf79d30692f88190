/* SPDX-License-Identifier: MIT */
/* What commands that change gates have in common: options, and how they begin. */
#ifndef CMD_COMMON_GATE_H
#define CMD_COMMON_GATE_H

#include "cmd/common/opts.h"
#include "sys/link.h"

#define GATE_ROWS_WHERE(O) OPT_ROW_IFACES(O, "work on this interface"), OPT_ROW_NETNS(O)
#define GATE_ROWS_PUT(O, more)                                                     \
	OPT_CHOICE(0, "at", "HOOK", O, at, cmd_gate_at,                            \
		   "hook to use if none is in use yet; any is XDP, else tc" more), \
		OPT_ROW_QUIET(O, "do not print which hooks are used"), OPT_ROW_VERBOSE(O)

/* The choices of --at, and the hooks (HOOK_BIT()s of obj/attach.h) that each is for incoming
 * packets. */
extern const char *const cmd_gate_at[];
extern const unsigned int cmd_gate_hooks[];

/* See what privilege it takes (what: "rules in the kernel need"), and enter the namespace. Said on
 * failure. */
int cmd_gate_begin(const char *what, const char *netns);
/* An interface by its name. Said on failure. */
int cmd_gate_link(struct nl *nl, const char *name, struct link *link);

#endif
