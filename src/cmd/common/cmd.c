/* SPDX-License-Identifier: MIT */
/* Finds, parses and describes commands, and has the steps that several of them start with. */
#include "cmd/common/cmd.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "out/color.h"
#include "out/sink.h"
#include "out/textfile.h"
#include "sys/netns.h"
#include "sys/pidfd.h"

enum { COMMANDS_MAX = 32 };

bool cmd_is_extcap(const char *arg)
{
	return arg &&
	       (!strncmp(arg, "--extcap-", strlen("--extcap-")) || !strcmp(arg, "--capture"));
}

const char *cmd_name(const struct command *c)
{
	const char *space = strrchr(c->opt->command, ' ');

	return space ? space + 1 : c->opt->command;
}

const struct command *cmd_find(const struct command *const *list, const char *name)
{
	for (; list && *list; list++)
		if (!strcmp(cmd_name(*list), name))
			return *list;
	return NULL;
}

int cmd_unknown(const struct command *const *list, const char *name)
{
	const char *names[COMMANDS_MAX + 1] = { 0 }, *near;
	size_t n = 0;

	if (*name == '-')
		return fail_usage("missing command before %s", name);
	for (; *list && n < COMMANDS_MAX; list++)
		names[n++] = cmd_name(*list);
	near = opt_nearest(name, names);
	if (near)
		return fail_usage("unknown command %s; did you mean %s?", name, near);
	return fail_usage("unknown command %s", name);
}

void cmd_put_help(const struct command *c, struct buf *out)
{
	opt_put_help(c->opt, out);
	if (!c->subs)
		return;
	buf_str(out, "\nCommands:\n");
	for (const struct command *const *sub = c->subs; *sub; sub++)
		opt_put_entry(out, cmd_name(*sub), (*sub)->opt->about);
	buf_printf(out, "\nRun `sonde %s COMMAND --help` for details.\n", c->opt->command);
}

static int print_help(const struct command *c)
{
	struct buf b = { 0 };
	int rc;

	cmd_put_help(c, &b);
	rc = buf_write(&b, STDOUT_FILENO);
	buf_free(&b);
	return rc ? fail_errno(rc, "standard output") : 0;
}

int cmd_run(const struct command *c, int argc, char **argv)
{
	const struct command *sub = argc > 1 ? cmd_find(c->subs, argv[1]) : NULL;

	err_set_command(c->opt->command);
	if (sub)
		return cmd_run(sub, argc - 1, argv + 1);
	if (c->subs && argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return print_help(c);
	if (c->run)
		return c->run(argc, argv);
	if (argc > 1)
		return cmd_unknown(c->subs, argv[1]);
	return print_help(c) ? -EIO : -E_USAGE;
}

int cmd_parse(const struct opt_spec *spec, void *into, const struct cmd_common *common, int argc,
	      char **argv, char ***rest, int *nrest)
{
	int rc = opt_parse(spec, into, argc, argv, rest, nrest);

	if (!rc && common->no_color)
		color_disable();
	return rc;
}

int cmd_parse_options(const struct opt_spec *spec, void *into, const struct cmd_common *common,
		      int argc, char **argv)
{
	char **rest;
	int nrest, rc = cmd_parse(spec, into, common, argc, argv, &rest, &nrest);

	if (!rc && nrest)
		return fail_usage("unexpected argument %s", rest[0]);
	return rc;
}

char *cmd_join(char **words, int n)
{
	size_t len = 1;
	char *text;

	for (int i = 0; i < n; i++)
		len += strlen(words[i]) + 1;
	text = calloc(1, len);
	for (int i = 0; text && i < n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, words[i]);
	}
	return text;
}

int cmd_mistake(const char *what, const char *text, const struct diag *diag)
{
	if (strlen(text) > 100 || strpbrk(text, "\n\t") || err_is_captured())
		return fail(-EINVAL, "%s, at byte %llu: %s", what, (unsigned long long)diag->pos,
			    diag->msg);
	fail(-EINVAL, "%s: %s", what, diag->msg);
	fprintf(stderr, "  %s\n  %*s^\n", text, (int)diag->pos, "");
	return -EINVAL;
}

int cmd_read_file(const char *name, struct buf *text)
{
	int fd = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	int rc = fd < 0 ? -errno : buf_read(text, fd, 0);

	if (fd > STDIN_FILENO)
		close(fd);
	return rc ? fail_errno(rc, "%s", name) : 0;
}

int cmd_open_process(uint32_t pid)
{
	int fd = pidfd_open_process(pid);

	if (fd == -ESRCH)
		return fail(fd, "no process %u", pid);
	if (fd == -EINVAL)
		return fail(fd, "%u is a thread, not a process", pid);
	return fd < 0 ? fail_errno(fd, "process %u", pid) : fd;
}

int cmd_enter_netns(const char *netns)
{
	int rc = netns ? netns_enter(netns) : 0;

	if (rc == -EPERM)
		return fail(rc, "entering network namespace %s needs CAP_SYS_ADMIN: run as root",
			    netns);
	return rc ? fail_errno(rc, "network namespace %s", netns) : 0;
}

struct sink *cmd_open_sink(const struct cmd_common *o, bool screen, struct textfile *file)
{
	enum sink_format format = o->textfile ? SINK_PROM : (enum sink_format)o->format;
	int rc = o->textfile ? textfile_open(file, o->textfile) : 0;
	struct sink *sink = NULL;

	if (rc) {
		fail_errno(rc, "%s", o->textfile);
		return NULL;
	}
	sink = sink_new(format, STDOUT_FILENO, screen && isatty(STDOUT_FILENO));
	if (!sink)
		fail_errno(-ENOMEM, "output");
	else if (o->textfile)
		sink_to_file(sink, file);
	return sink;
}
