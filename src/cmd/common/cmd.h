/* SPDX-License-Identifier: MIT */
/* What a command is to main(), and what commands begin with. */
#ifndef CMD_COMMON_CMD_H
#define CMD_COMMON_CMD_H

#include "base/buf.h"
#include "base/diag.h"
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

/* A command's own command. */
struct cmd_sub {
	const struct opt_spec *spec;       /* spec->command: "filter add" */
	int (*run)(int argc, char **argv); /* argv[0] is its name; as of struct command */
};
/* Run the one that argv[1] names; -E_USAGE, said, if there is none. --help lists them, under what
 * spec says. */
int cmd_run_sub(const struct opt_spec *spec, const struct cmd_sub *subs, size_t n, int argc,
		char **argv);

/* Operands as one text, as if typed with spaces, on the heap. NULL: no memory. */
char *cmd_join(char **words, int n);
/* Say what is wrong with an expression: the text again with a mark below the place, where it fits a
 * screen. Returns -EINVAL. */
int cmd_mistake(const char *what, const char *text, const struct diag *diag);

/* A whole file, "-" for standard input. Said on failure. */
int cmd_read_file(const char *name, struct buf *text);

/* Enter the network namespace of --netns, unless it is NULL. Said on failure. */
int cmd_netns(const char *netns);

#endif
