/* SPDX-License-Identifier: MIT */
/* The command line of sonde probe. */
#ifndef CMD_PROBE_OPTIONS_H
#define CMD_PROBE_OPTIONS_H

#include "cmd/common/cmd.h"
#include "probe/probe.h"

struct probe_cmd_opts {
	struct cmd_common common;
	struct opt_list strings;
	uint32_t count, kibibytes, processes;
	bool events, stacks, values;
};

/* The parsed command line. */
struct probe_request {
	struct probe_cmd_opts o;
	struct probe_opts opts;
	struct target targets[PROBE_MAX];
	uint8_t strings[PROBE_TEXTS]; /* arguments selected by --string; 1 is the first */
};

/* Runs the probes until the end that the options define, and shows their hits. Returns 0 or -errno.
 * Reports errors. */
int probe_follow(struct probe_request *r);

/* sonde probe list */
extern const struct command probe_list_command;

#endif
