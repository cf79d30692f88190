/* SPDX-License-Identifier: MIT */
/* sonde completion: generates scripts for shells from the tables of commands and options. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/err.h"
#include "cmd/common/cmd.h"

/* What a shell completes an option's argument with. */
enum argument { ARG_NONE, ARG_ANY, ARG_IFACE, ARG_FILE, ARG_DIR, ARG_NETNS, ARG_CHOICE };

static enum argument argument_of(const struct opt *o)
{
	static const struct {
		const char *arg;
		enum argument is;
	} known[] = {
		{ "IFACE", ARG_IFACE },
		{ "FILE", ARG_FILE },
		{ "DIR", ARG_DIR },
		{ "NETNS", ARG_NETNS },
	};

	if (o->kind == OPT_KIND_CHOICE)
		return ARG_CHOICE;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strcmp(o->arg, known[i].arg))
			return known[i].is;
	return *o->arg ? ARG_ANY : ARG_NONE;
}

/* Called for each command, then for its subcommands. */
typedef void each_command(const struct command *c, struct buf *out);

static void walk_commands(const struct command *const *list, each_command *each, struct buf *out)
{
	for (; list && *list; list++) {
		each(*list, out);
		walk_commands((*list)->subs, each, out);
	}
}

static void put_path_pattern(const struct command *c, struct buf *out)
{
	buf_printf(out, "'%s'|", c->opt->command);
}

/* Appends a pattern: 'count'|'filter'|'filter add' ... */
static void put_paths(struct buf *out)
{
	walk_commands(commands, put_path_pattern, out);
	out->len -= out->len > 0; /* remove the last bar */
}

static void put_choices(const struct opt *o, const char *between, struct buf *out)
{
	for (const char *const *c = o->choices; *c; c++)
		buf_printf(out, "%s%s", c == o->choices ? "" : between, *c);
}

/* Appends the help up to its first full stop or 60 bytes, without characters that are special in a
 * shell. */
static void put_short(const char *help, struct buf *out)
{
	for (size_t i = 0; help && help[i] && help[i] != '\n' && i < 60; i++)
		buf_char(out, strchr("'\"[]:\\$`;", help[i]) ? ' ' : help[i]);
}

/* bash: the words of a command, and the values of an option's argument. */

static void put_bash_words(const struct command *c, struct buf *out)
{
	buf_printf(out, "\t'%s') words='", c->opt->command);
	for (const struct command *const *sub = c->subs; sub && *sub; sub++)
		buf_printf(out, "%s ", cmd_name(*sub));
	for (const struct opt *o = c->opt->rows; o && o->kind; o++) {
		if (o->letter)
			buf_printf(out, "-%c ", o->letter);
		if (*o->name)
			buf_printf(out, "--%s ", o->name);
	}
	buf_str(out, "-h --help' ;;\n");
}

static void put_bash_argument(const struct opt *o, struct buf *out)
{
	switch (argument_of(o)) {
	case ARG_IFACE:
		buf_str(out, "_sonde_words \"$(ls /sys/class/net 2>/dev/null)\"");
		break;
	case ARG_NETNS:
		buf_str(out, "_sonde_words \"$(ls /run/netns 2>/dev/null)\"");
		break;
	case ARG_FILE:
		buf_str(out, "COMPREPLY=($(compgen -f -- \"$cur\"))");
		break;
	case ARG_DIR:
		buf_str(out, "COMPREPLY=($(compgen -d -- \"$cur\"))");
		break;
	case ARG_CHOICE:
		buf_str(out, "_sonde_words '");
		put_choices(o, " ", out);
		buf_char(out, '\'');
		break;
	default:
		buf_str(out, "COMPREPLY=()");
	}
}

static void put_bash_arguments(const struct command *c, struct buf *out)
{
	for (const struct opt *o = c->opt->rows; o && o->kind; o++) {
		if (!*o->arg)
			continue;
		buf_str(out, "\t");
		if (o->letter)
			buf_printf(out, "'%s -%c'%s", c->opt->command, o->letter,
				   *o->name ? "|" : "");
		if (*o->name)
			buf_printf(out, "'%s --%s'", c->opt->command, o->name);
		buf_str(out, ") ");
		put_bash_argument(o, out);
		buf_str(out, "; return ;;\n");
	}
}

static void put_bash(struct buf *out)
{
	buf_str(out, "# bash completion for sonde\n"
		     "_sonde_words() { COMPREPLY=($(compgen -W \"$1\" -- \"$cur\")); }\n"
		     "_sonde()\n{\n"
		     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		     "\tlocal at='' next words='' i\n"
		     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		     "\t\tnext=${at:+$at }${COMP_WORDS[i]}\n\t\tcase $next in\n\t\t");
	put_paths(out);
	buf_str(out, ") at=$next ;;\n\t\tesac\n\tdone\n\tcase \"$at $prev\" in\n");
	walk_commands(commands, put_bash_arguments, out);
	buf_str(out, "\tesac\n\tcase $at in\n\t'') words='");
	for (const struct command *const *c = commands; *c; c++)
		buf_printf(out, "%s ", cmd_name(*c));
	buf_str(out, "' ;;\n");
	walk_commands(commands, put_bash_words, out);
	buf_str(out, "\tesac\n\t_sonde_words \"$words\"\n}\ncomplete -o default -F _sonde sonde\n");
}

/* zsh: calls _arguments (zshcompsys(1)) for the typed command. */

static void put_zsh_argument(const struct opt *o, struct buf *out)
{
	static const char *const actions[] = {
		[ARG_IFACE] = "_net_interfaces",
		[ARG_FILE] = "_files",
		[ARG_DIR] = "_files -/",
		[ARG_NETNS] = "_files -W /run/netns",
	};
	enum argument is = argument_of(o);

	if (is == ARG_NONE)
		return;
	buf_printf(out, ":%s:", o->arg);
	if (is == ARG_CHOICE) {
		buf_char(out, '(');
		put_choices(o, " ", out);
		buf_char(out, ')');
	} else if (is != ARG_ANY) {
		buf_str(out, actions[is]);
	} else {
		buf_char(out, ' ');
	}
}

static void put_zsh_option(const struct opt *o, struct buf *out)
{
	bool repeats = o->kind == OPT_KIND_LIST || o->kind == OPT_KIND_COUNT;

	buf_str(out, " \\\n\t\t\t");
	if (o->letter && *o->name && repeats)
		buf_printf(out, "'*'{-%c,--%s}'[", o->letter, o->name);
	else if (o->letter && *o->name)
		buf_printf(out, "'(-%c --%s)'{-%c,--%s}'[", o->letter, o->name, o->letter, o->name);
	else if (o->letter)
		buf_printf(out, "'-%c[", o->letter);
	else
		buf_printf(out, "'%s--%s[", repeats ? "*" : "", o->name);
	put_short(o->help, out);
	buf_char(out, ']');
	put_zsh_argument(o, out);
	buf_char(out, '\'');
}

static void put_zsh_commands(const struct command *const *list, struct buf *out)
{
	buf_str(out, "cmds=(");
	for (; *list; list++) {
		buf_printf(out, "'%s:", cmd_name(*list));
		put_short((*list)->opt->about, out);
		buf_str(out, "' ");
	}
	buf_str(out, "); _describe command cmds");
}

static void put_zsh_command(const struct command *c, struct buf *out)
{
	buf_printf(out, "\t'%s')\n\t\t", c->opt->command);
	if (c->subs) {
		put_zsh_commands(c->subs, out);
		buf_str(out, "\n\t\t");
	}
	buf_str(out, "_arguments -s -S");
	for (const struct opt *o = c->opt->rows; o && o->kind; o++)
		put_zsh_option(o, out);
	put_zsh_option(&opt_help_row, out);
	buf_str(out, " \\\n\t\t\t'*:: :_files' ;;\n");
}

static void put_zsh(struct buf *out)
{
	buf_str(out, "#compdef sonde\n_sonde()\n{\n"
		     "\tlocal at='' next cmds i n=0\n"
		     "\tfor ((i = 2; i < CURRENT; i++)); do\n"
		     "\t\tnext=${at:+$at }${words[i]}\n\t\tcase $next in\n\t\t");
	put_paths(out);
	buf_str(out, ") at=$next n=$((i - 1)) ;;\n\t\tesac\n\tdone\n"
		     "\t((n)) && shift $n words && ((CURRENT -= n))\n\tcase $at in\n\t'') ");
	put_zsh_commands(commands, out);
	buf_str(out, " ;;\n");
	walk_commands(commands, put_zsh_command, out);
	buf_str(out, "\tesac\n}\ncompdef _sonde sonde\n");
}

/* fish: a line for each command and option. */

static void put_fish_option(const struct command *c, const struct opt *o, struct buf *out)
{
	enum argument is = argument_of(o);

	buf_printf(out, "complete -c sonde -n \"__sonde_at '%s'\"", c->opt->command);
	if (o->letter)
		buf_printf(out, " -s %c", o->letter);
	if (*o->name)
		buf_printf(out, " -l %s", o->name);
	if (is == ARG_IFACE)
		buf_str(out, " -x -a '(ls /sys/class/net 2>/dev/null)'");
	else if (is == ARG_NETNS)
		buf_str(out, " -x -a '(ls /run/netns 2>/dev/null)'");
	else if (is == ARG_FILE || is == ARG_DIR)
		buf_str(out, " -r -F");
	else if (is != ARG_NONE)
		buf_str(out, " -x");
	if (is == ARG_CHOICE) {
		buf_str(out, " -a '");
		put_choices(o, " ", out);
		buf_char(out, '\'');
	}
	buf_str(out, " -d '");
	put_short(o->help, out);
	buf_str(out, "'\n");
}

static void put_fish_sub(const char *parent, const struct command *c, struct buf *out)
{
	buf_printf(out, "complete -c sonde -n \"__sonde_at '%s'\" -a %s -d '", parent, cmd_name(c));
	put_short(c->opt->about, out);
	buf_str(out, "'\n");
}

static void put_fish_command(const struct command *c, struct buf *out)
{
	for (const struct command *const *sub = c->subs; sub && *sub; sub++)
		put_fish_sub(c->opt->command, *sub, out);
	for (const struct opt *o = c->opt->rows; o && o->kind; o++)
		put_fish_option(c, o, out);
	put_fish_option(c, &opt_help_row, out);
}

static void put_fish_path(const struct command *c, struct buf *out)
{
	buf_printf(out, " '%s'", c->opt->command);
}

static void put_fish(struct buf *out)
{
	buf_str(out, "# fish completion for sonde\n"
		     "function __sonde_at\n\tset -l at ''\n\tset -l paths");
	walk_commands(commands, put_fish_path, out);
	buf_str(out, "\n\tset -l tokens (commandline -opc)\n"
		     "\tfor w in $tokens[2..-1]\n"
		     "\t\tset -l next (string trim -- \"$at $w\")\n"
		     "\t\tif contains -- $next $paths\n\t\t\tset at $next\n\t\tend\n\tend\n"
		     "\ttest \"$at\" = \"$argv[1]\"\nend\ncomplete -c sonde -f\n");
	for (const struct command *const *c = commands; *c; c++)
		put_fish_sub("", *c, out);
	walk_commands(commands, put_fish_command, out);
}

static const struct {
	const char *name;
	void (*put)(struct buf *out);
} shells[] = { { "bash", put_bash }, { "zsh", put_zsh }, { "fish", put_fish } };

static const struct opt rows[] = { { 0 } };
static const struct opt_spec spec = {
	.command = "completion",
	.usage = "bash|zsh|fish",
	.about = "print a completion script for a shell",
	.rows = rows,
	.examples = "  sonde completion bash >/etc/bash_completion.d/sonde\n"
		    "  sonde completion zsh >/usr/local/share/zsh/site-functions/_sonde\n"
		    "  sonde completion fish >~/.config/fish/completions/sonde.fish\n",
};

static int write_script(void (*put)(struct buf *out))
{
	struct buf out = { 0 };
	int rc;

	put(&out);
	rc = buf_write(&out, STDOUT_FILENO);
	buf_free(&out);
	return rc ? fail_errno(rc, "standard output") : 0;
}

static int run_completion(int argc, char **argv)
{
	struct cmd_common none = { 0 };
	char **words;
	int n, rc = cmd_parse(&spec, &none, &none, argc, argv, &words, &n);

	if (rc)
		return rc > 0 ? 0 : rc;
	if (n != 1)
		return fail_usage("name one shell: bash, zsh or fish");
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (!strcmp(words[0], shells[i].name))
			return write_script(shells[i].put);
	return fail_usage("no completion for %s: the shells are bash, zsh and fish", words[0]);
}

const struct command cmd_completion = { &spec, run_completion, NULL, NULL };
