/* SPDX-License-Identifier: MIT */
/* What a command is to main(). */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "base/opt.h"

struct command {
	const struct opt_spec *opt;
	/* argv[0] is the command's name. 0, -errno or -E_USAGE, the error said already. */
	int (*run)(int argc, char **argv);
};

#endif
