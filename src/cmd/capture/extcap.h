/* SPDX-License-Identifier: MIT */
/* Captures for Wireshark and tshark, which run programs in their extcap directory (extcap(4)). */
#ifndef CMD_CAPTURE_EXTCAP_H
#define CMD_CAPTURE_EXTCAP_H

#include "base/opt.h"

/* The parts of the capture command that extcap uses. */
struct extcap_base {
	const struct opt_spec *spec;
	int (*run)(int argc, char **argv);
	/* Returns 0, -errno or -E_USAGE. Reports errors. */
	int (*check_filter)(const char *text);
};

/* Answers a call (cmd_is_extcap()). Returns 0, -errno or -E_USAGE. Reports errors. Wireshark shows
 * stderr in a dialog, so only errors and losses go there. */
int extcap_run(const struct extcap_base *base, int argc, char **argv);

#endif
