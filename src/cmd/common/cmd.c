/* SPDX-License-Identifier: MIT */
/* What several commands begin with: options without operands, another network namespace. */
#include "cmd/common/cmd.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/err.h"
#include "sys/netns.h"

bool cmd_is_extcap(const char *arg)
{
	return arg &&
	       (!strncmp(arg, "--extcap-", strlen("--extcap-")) || !strcmp(arg, "--capture"));
}

int cmd_parse(const struct opt_spec *spec, void *into, int argc, char **argv)
{
	char **rest;
	int nrest, rc = opt_parse(spec, into, argc, argv, &rest, &nrest);

	if (!rc && nrest)
		return fail_usage("%s: %s takes no operands", rest[0], spec->command);
	return rc;
}

/* The last word of "filter add". */
static const char *sub_name(const struct cmd_sub *sub)
{
	return strrchr(sub->spec->command, ' ') + 1;
}

static int list_subs(const struct opt_spec *spec, const struct cmd_sub *subs, size_t n)
{
	printf("Usage: sonde %s %s\n\n%s\n\n", spec->command, spec->usage, spec->about);
	for (size_t i = 0; i < n; i++)
		printf("  %-10s %.*s\n", sub_name(&subs[i]),
		       (int)strcspn(subs[i].spec->about, "\n"), subs[i].spec->about);
	if (spec->examples)
		printf("\n%s", spec->examples);
	return fflush(stdout) ? fail_errno(-errno, "standard output") : 0;
}

int cmd_run_sub(const struct opt_spec *spec, const struct cmd_sub *subs, size_t n, int argc,
		char **argv)
{
	const char *names[32] = { 0 }, *near;

	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return list_subs(spec, subs, n) ? -EIO : argc < 2 ? -E_USAGE : 0;
	for (size_t i = 0; i < n; i++) {
		names[i] = sub_name(&subs[i]);
		if (strcmp(argv[1], names[i]))
			continue;
		err_set_command(subs[i].spec->command);
		return subs[i].run(argc - 1, argv + 1);
	}
	near = opt_nearest(argv[1], names);
	return fail_usage("%s does not know %s%s%s%s", spec->command, argv[1],
			  near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
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

int cmd_netns(const char *netns)
{
	int rc = netns ? netns_enter(netns) : 0;

	if (rc == -EPERM)
		return fail(rc, "entering network namespace %s needs CAP_SYS_ADMIN: run as root",
			    netns);
	return rc ? fail_errno(rc, "network namespace %s", netns) : 0;
}
