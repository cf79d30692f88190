/* SPDX-License-Identifier: MIT */
/* sonde: the table of commands, and the setup of each run. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/err.h"
#include "cmd/common/cmd.h"
#include "sys/priv.h"

#define COMMANDS(X)   \
	X(count)      \
	X(capture)    \
	X(filter)     \
	X(guard)      \
	X(trace)      \
	X(probe)      \
	X(status)     \
	X(detach)     \
	X(doctor)     \
	X(demo)       \
	X(help)       \
	X(completion) \
	X(version)

#define DECLARE(name) extern const struct command cmd_##name;
COMMANDS(DECLARE)

#define LIST(name) &cmd_##name,
const struct command *const commands[] = { COMMANDS(LIST) NULL };

/* Opens descriptors 0-2 if they are closed. Otherwise a map or a link could get one of them, and a
 * descriptor of 0 means "none" everywhere. O_PATH needs no /dev, and reading or writing it fails as
 * on a closed descriptor. */
static void hold_standard_fds(void)
{
	int fd;

	do
		fd = open("/", O_PATH);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

/* First words that users type for commands with another name here. */
static const struct {
	const char *word, *instead;
} others[] = {
	{ "ban", "sonde guard ban" },   { "block", "sonde filter add" },
	{ "dns", "sonde trace dns" },   { "drops", "sonde trace drop" },
	{ "dump", "sonde capture" },    { "export", "sonde count --textfile" },
	{ "firewall", "sonde filter" }, { "limit", "sonde guard start --limit" },
	{ "list", "sonde status" },     { "policy", "sonde filter" },
	{ "ss", "sonde trace open" },   { "stats", "sonde count" },
	{ "tcpdump", "sonde capture" }, { "top", "sonde guard top, sonde count or sonde trace" },
	{ "why", "sonde doctor" },
};

static int run_unknown(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (!strcmp(word, others[i].word))
			return fail_usage("no command %s: use %s", word, others[i].instead);
	return cmd_unknown(commands, word);
}

/* Returns the command of an option that stands for one. */
static const char *command_of(const char *word)
{
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		return "help";
	return !strcmp(word, "--version") || !strcmp(word, "-V") ? "version" : word;
}

static int run_command(int argc, char **argv)
{
	char help[] = "help", *no_operands[] = { help, NULL };
	const struct command *c;

	if (argc < 2)
		return cmd_run(&cmd_help, 1, no_operands) ? -EIO : -E_USAGE;
	if (cmd_is_extcap(argv[1])) {
		err_set_command("capture");
		return cmd_capture.run(argc, argv);
	}
	c = cmd_find(commands, command_of(argv[1]));
	return c ? cmd_run(c, argc - 1, argv + 1) : run_unknown(argv[1]);
}

int main(int argc, char **argv)
{
	int rc;

	hold_standard_fds();
	priv_lift_files();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* treat a file size limit like a full disk: writes fail */
	rc = run_command(argc, argv);
	if (!rc)
		return 0;
	return rc == -E_USAGE ? 2 : 1;
}
