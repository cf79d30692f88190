/* SPDX-License-Identifier: MIT */
/* What a command is to main(), and what commands begin with. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "base/opt.h"

#ifndef SONDE_VERSION
#define SONDE_VERSION "0.1"
#endif

struct command {
	const struct opt_spec *opt;
	/* argv[0] is the command's name. 0, -errno or -E_USAGE, the error said already. */
	int (*run)(int argc, char **argv);
};

/* Wireshark starts whatever stands in its extcap directory with such a first argument: main() gives
 * it to capture. */
bool cmd_is_extcap(const char *arg);

/* Parse options into *into, for a command that takes no operands. 0; 1 if help was asked for and
 * given; -E_USAGE or -errno, said. */
int cmd_parse(const struct opt_spec *spec, void *into, int argc, char **argv);

/* Enter the network namespace of --netns, unless it is NULL. Said on failure. */
int cmd_netns(const char *netns);

/* Keep only what a live command needs once its programs are attached (sys/confine.h). A build with
 * sanitizers is left alone: they make system calls of their own. Said on failure. */
int cmd_confine(uint64_t caps, bool files);

#endif
