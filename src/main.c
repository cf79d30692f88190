/* SPDX-License-Identifier: MIT */
/* sonde: the table of contents of the program. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "base/opt.h"
#include "cmd/common/cmd.h"
#include "sys/priv.h"

#define COMMANDS(X) \
	X(count)    \
	X(capture)  \
	X(filter)   \
	X(guard)    \
	X(trace)    \
	X(probe)    \
	X(status)   \
	X(detach)   \
	X(doctor)   \
	X(demo)

#define DECLARE(name) extern const struct command cmd_##name;
COMMANDS(DECLARE)

#define LIST(name) &cmd_##name,
static const struct command *const commands[] = { COMMANDS(LIST) };

enum { NCOMMANDS = sizeof(commands) / sizeof(*commands) };

/* A descriptor below 3 that was closed would be taken by a map or a link, and 0 means "none" all
 * over the house. O_PATH needs no /dev, and reading or writing it fails as a closed one would. */
static void hold_standard_fds(void)
{
	int fd;

	do
		fd = open("/", O_PATH);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

static int help(void)
{
	printf("sonde: network traffic through the kernel's own eyes (eBPF)\n"
	       "usage: sonde COMMAND [OPTIONS] [FILTER]\n\n");
	for (int i = 0; i < NCOMMANDS; i++)
		printf("  %-10s %.*s\n", commands[i]->opt->command,
		       (int)strcspn(commands[i]->opt->about, "\n"), commands[i]->opt->about);
	printf("\nsonde COMMAND --help tells more; sonde demo shows it at work;\n"
	       "sonde doctor tells what this kernel allows.\n");
	return fflush(stdout) ? fail_errno(-errno, "standard output") : 0;
}

static int unknown(const char *word)
{
	const char *names[NCOMMANDS + 1] = { 0 }, *near;

	for (int i = 0; i < NCOMMANDS; i++)
		names[i] = commands[i]->opt->command;
	near = opt_nearest(word, names);
	if (near)
		return fail_usage("no command %s; did you mean %s?", word, near);
	return fail_usage("no command %s", word);
}

static int run(int argc, char **argv)
{
	if (argc < 2)
		return help() ? -EIO : -E_USAGE;
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help();
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("sonde %s\n", SONDE_VERSION);
		return fflush(stdout) ? fail_errno(-errno, "standard output") : 0;
	}
	if (cmd_is_extcap(argv[1])) {
		err_set_command("capture");
		return cmd_capture.run(argc, argv);
	}
	for (int i = 0; i < NCOMMANDS; i++) {
		if (strcmp(argv[1], commands[i]->opt->command))
			continue;
		err_set_command(argv[1]);
		return commands[i]->run(argc - 1, argv + 1);
	}
	return unknown(argv[1]);
}

int main(int argc, char **argv)
{
	int rc;

	hold_standard_fds();
	priv_lift_files();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is as good as a full disk */
	rc = run(argc, argv);
	if (!rc)
		return 0;
	return rc == -E_USAGE ? 2 : 1;
}
