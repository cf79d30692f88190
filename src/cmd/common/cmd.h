/* SPDX-License-Identifier: MIT */
/* What a command is to main(), to the help and to completion, and how commands start. */
#ifndef CMD_COMMON_CMD_H
#define CMD_COMMON_CMD_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/opt.h"
#include "out/schema.h"

/* A command, or a command's own command. */
struct command {
	const struct opt_spec *opt; /* opt->command: "filter add" */
	/* argv[0] is the command's name. 0, -errno or -E_USAGE; reports errors. NULL: it only has
	 * commands of its own. */
	int (*run)(int argc, char **argv);
	const struct command *const *subs;   /* its own commands, NULL at the end; NULL: none */
	const struct schema *const *records; /* what -o json prints, NULL at the end; NULL: none */
};

/* All commands in the order of the help, NULL at the end (src/main.c). */
extern const struct command *const commands[];

/* The last word of "filter add". */
const char *cmd_name(const struct command *c);
/* Run what argv says: argv[0] is c's name; its own command if argv[1] names one, c itself
 * otherwise. --help for a command that only has commands of its own lists them. 0, -errno or
 * -E_USAGE; reports errors. */
int cmd_run(const struct command *c, int argc, char **argv);
/* The entry of a NULL-terminated list with this name; NULL. */
const struct command *cmd_find(const struct command *const *list, const char *name);
/* Reports that no command of the list has this name, with the nearest one that has. Returns
 * -E_USAGE. */
int cmd_unknown(const struct command *const *list, const char *name);
/* Append what `sonde COMMAND --help` prints. */
void cmd_put_help(const struct command *c, struct buf *out);

/* Wireshark starts whatever stands in its extcap directory with such a first argument: main() gives
 * it to capture. */
bool cmd_is_extcap(const char *arg);

/* Options that mean the same in every command that has them. */
struct cmd_common {
	struct opt_list ifaces;
	const char *netns, *textfile;
	uint64_t duration, interval; /* ns */
	uint32_t verbose, pid;
	int format; /* enum sink_format */
	bool quiet, no_color, no_time;
};

/* Parse options into *into and act on those that concern the process (--no-color); common is its
 * part. Operands go to *rest and *nrest. 0; 1 if help was asked for and printed; -E_USAGE or
 * -errno. Reports errors. */
int cmd_parse(const struct opt_spec *spec, void *into, const struct cmd_common *common, int argc,
	      char **argv, char ***rest, int *nrest);
/* The same for a command that takes no operands. */
int cmd_parse_options(const struct opt_spec *spec, void *into, const struct cmd_common *common,
		      int argc, char **argv);

/* Operands as one text, as if typed with spaces, on the heap. NULL: no memory. */
char *cmd_join(char **words, int n);
/* Report what is wrong with an expression: the text again with a mark below the place, where it
 * fits a screen. Returns -EINVAL. */
int cmd_mistake(const char *what, const char *text, const struct diag *diag);

/* Append a whole file, "-" for standard input. 0 or -errno. Reports errors. */
int cmd_read_file(const char *name, struct buf *text);

/* Enter the network namespace of --netns, unless it is NULL. 0 or -errno. Reports errors. */
int cmd_enter_netns(const char *netns);

/* Open the sink that -o and --textfile ask for: on standard output, or on the file. screen: repaint
 * tables on a terminal. *file stays the caller's, to be closed after the sink. NULL after an error,
 * which is reported. */
struct sink;
struct textfile;
struct sink *cmd_open_sink(const struct cmd_common *o, bool screen, struct textfile *file);

#endif
