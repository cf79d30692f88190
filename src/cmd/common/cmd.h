/* SPDX-License-Identifier: MIT */
/* Commands as main(), the help and completion use them, and the steps that commands start with. */
#ifndef CMD_COMMON_CMD_H
#define CMD_COMMON_CMD_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/opt.h"
#include "out/schema.h"

/* A command or a subcommand. */
struct command {
	const struct opt_spec *opt; /* opt->command: "filter add" */
	/* argv[0] is the command's name. Returns 0, -errno or -E_USAGE. Reports errors. NULL: the
	 * command only has subcommands. */
	int (*run)(int argc, char **argv);
	const struct command *const *subs;   /* subcommands, NULL at the end; NULL: none */
	const struct schema *const *records; /* of -o json, NULL at the end; NULL: none */
};

/* All commands in the order of the help, NULL at the end (src/main.c). */
extern const struct command *const commands[];

/* Returns the last word of a name such as "filter add". */
const char *cmd_name(const struct command *c);
/* Runs the command: argv[0] is c's name; the subcommand if argv[1] names one, else c itself. For a
 * command that only has subcommands, --help lists them. Returns 0, -errno or -E_USAGE. Reports
 * errors. */
int cmd_run(const struct command *c, int argc, char **argv);
/* Returns the command of a NULL-terminated list with this name; NULL: none. */
const struct command *cmd_find(const struct command *const *list, const char *name);
/* Reports that no command of the list has this name, and suggests the nearest name. Returns
 * -E_USAGE. */
int cmd_unknown(const struct command *const *list, const char *name);
/* Appends the output of `sonde COMMAND --help`. */
void cmd_put_help(const struct command *c, struct buf *out);

/* Returns true if arg is a first argument with which Wireshark calls programs in its extcap
 * directory. Then main() runs capture. */
bool cmd_is_extcap(const char *arg);

/* Options with the same meaning in every command that has them. */
struct cmd_common {
	struct opt_list ifaces;
	const char *netns, *textfile;
	uint64_t duration, interval; /* ns */
	uint32_t verbose, pid;
	int format; /* enum sink_format */
	bool quiet, no_color, no_time;
};

/* Parses options into *into and applies those that concern the process (--no-color); common points
 * to its part. Operands go to *rest and *nrest. Returns 0; 1 if help was requested and printed;
 * -E_USAGE or -errno. Reports errors. */
int cmd_parse(const struct opt_spec *spec, void *into, const struct cmd_common *common, int argc,
	      char **argv, char ***rest, int *nrest);
/* Like cmd_parse(), for a command without operands. */
int cmd_parse_options(const struct opt_spec *spec, void *into, const struct cmd_common *common,
		      int argc, char **argv);

/* Joins operands with spaces. The caller frees the text. NULL: out of memory. */
char *cmd_join(char **words, int n);
/* Reports a mistake in an expression: prints the text again with a mark below the position, if it
 * fits the screen. Returns -EINVAL. */
int cmd_mistake(const char *what, const char *text, const struct diag *diag);

/* Appends a whole file, "-" for standard input. Returns 0 or -errno. Reports errors. */
int cmd_read_file(const char *name, struct buf *text);

/* Opens the process of --pid (pidfd_open_process()). Returns a descriptor or -errno. Reports
 * errors. */
int cmd_open_process(uint32_t pid);

/* Enters the network namespace of --netns, unless it is NULL. Returns 0 or -errno. Reports
 * errors. */
int cmd_enter_netns(const char *netns);

/* Opens the sink for -o and --textfile: on standard output or on the file. screen: repaint tables
 * on a terminal. *file stays the caller's, who closes it after the sink. Returns NULL on failure.
 * Reports errors. */
struct sink;
struct textfile;
struct sink *cmd_open_sink(const struct cmd_common *o, bool screen, struct textfile *file);

#endif
