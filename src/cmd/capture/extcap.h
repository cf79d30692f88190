/* SPDX-License-Identifier: MIT */
/* How Wireshark and tshark call a program of their extcap directory, as a capture of ours. */
#ifndef CMD_CAPTURE_EXTCAP_H
#define CMD_CAPTURE_EXTCAP_H

#include "base/opt.h"

/* What of the command is used here. */
struct extcap_base {
	const struct opt_spec *spec;
	int (*run)(int argc, char **argv);
	/* 0, or -errno or -E_USAGE, said. */
	int (*check_filter)(const char *text);
};

/* Answer a call (cmd_is_extcap). 0, -errno or -E_USAGE, said: what is written to stderr Wireshark
 * shows in a box, so it is nothing but an error or a loss. */
int extcap_run(const struct extcap_base *base, int argc, char **argv);

#endif
