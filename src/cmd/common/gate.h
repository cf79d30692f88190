/* SPDX-License-Identifier: MIT */
/* What commands that change gates have in common: options, and how they begin. */
#ifndef CMD_COMMON_GATE_H
#define CMD_COMMON_GATE_H

#include "cmd/common/cmd.h"
#include "out/sink.h"
#include "sys/link.h"

#define GATE_ROWS_WHERE(O)                                                   \
	OPT_LIST('i', "interface", "IFACE", O, ifaces, "on this interface"), \
		OPT_STR('N', "netns", "PATH|PID", O, netns,                  \
			"in this network namespace: a path, "                \
			"a name below /run/netns, or a process's")
#define GATE_ROWS_OUT(O)                                             \
	OPT_CHOICE('o', "output", "FORMAT", O, format, sink_formats, \
		   "how to print (default: text)"),                  \
		OPT_SET(0, "json", O, format, SINK_JSON, "short for -o json")
#define GATE_ROWS_PUT(O, more)                                                                   \
	OPT_CHOICE(                                                                              \
		0, "at", "HOOK", O, at, cmd_gate_at,                                             \
		"where the gate is put, if there is none: xdp (native, else generic) or tc" more \
		" (default: xdp, else tc)"),                                                     \
		OPT_FLAG('v', "verbose", O, verbose, "the verifier's whole log, should it refuse")

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
