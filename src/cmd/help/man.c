/* SPDX-License-Identifier: MIT */
/* Manual pages in mdoc(7), from the same tables and pages as the help. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "base/version.h"
#include "cmd/help/help.h"

/* Append text as mdoc takes it: a backslash is an escape, and so is a period or an apostrophe at
 * the start of a line. */
static void put_text(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool start = !out->len || out->data[out->len - 1] == '\n';

		if (start && (text[i] == '.' || text[i] == '\''))
			buf_str(out, "\\&");
		if (text[i] == '\\')
			buf_str(out, "\\e");
		else if (!start || text[i] != ' ')
			buf_char(out, text[i]);
	}
}

/* In a literal block blanks count. */
static void put_literal(struct buf *out, const char *text, size_t len)
{
	if (len && (*text == '.' || *text == '\''))
		buf_str(out, "\\&");
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\\')
			buf_str(out, "\\e");
		else
			buf_char(out, text[i]);
}

static void end_line(struct buf *out)
{
	if (out->len && out->data[out->len - 1] != '\n')
		buf_char(out, '\n');
}

static void put_upper(struct buf *out, const char *s)
{
	for (; *s; s++)
		buf_char(out, *s == ' ' ? '-' : (char)toupper((unsigned char)*s));
}

/* "sonde-guard-start" */
static void put_dashed(struct buf *out, const char *s)
{
	buf_str(out, "sonde");
	if (*s)
		buf_char(out, '-');
	for (; *s; s++)
		buf_char(out, *s == ' ' ? '-' : *s);
}

static void put_title(struct buf *out, const char *name, int section, const char *about, size_t len)
{
	buf_printf(out, ".Dd %s\n.Dt SONDE%s", SONDE_DATE, *name ? "-" : "");
	put_upper(out, name);
	buf_printf(out, " %d\n.Os\n.Sh NAME\n.Nm ", section);
	put_dashed(out, name);
	buf_str(out, "\n.Nd ");
	put_text(out, about, len);
	end_line(out);
}

static void put_synopsis(struct buf *out, const struct opt_spec *spec, bool is_heading)
{
	if (is_heading)
		buf_str(out, ".Sh SYNOPSIS\n");
	buf_printf(out, ".Nm sonde %s\n", spec->command);
	put_text(out, spec->usage, strlen(spec->usage));
	end_line(out);
}

/* The paragraphs after the first line, which is the name's. */
static void put_about(struct buf *out, const char *about)
{
	about += strcspn(about, "\n");
	while (*about) {
		size_t len;

		about++;
		len = strcspn(about, "\n");
		if (len) {
			put_text(out, about, len);
			end_line(out);
			buf_str(out, about[len] ? ".Pp\n" : "");
		}
		about += len;
	}
}

static void put_option(struct buf *out, const struct opt *o)
{
	buf_str(out, ".It");
	if (o->letter)
		buf_printf(out, " Fl %c", o->letter);
	if (o->letter && *o->name)
		buf_str(out, " ,");
	if (*o->name)
		buf_printf(out, " Fl Fl %s", o->name);
	if (*o->arg)
		buf_printf(out, " Ar %s", o->arg);
	buf_char(out, '\n');
	put_text(out, o->help, strlen(o->help));
	if (o->kind == OPT_KIND_LIST)
		buf_str(out, " (repeatable)");
	for (const char *const *c = o->kind == OPT_KIND_CHOICE ? o->choices : NULL; c && *c; c++)
		buf_printf(out, "%s%s", c == o->choices ? ": " : ", ", *c);
	end_line(out);
}

static void put_options(struct buf *out, const struct opt *rows)
{
	if (!rows || !rows->kind)
		return;
	buf_str(out, "The options are:\n.Bl -tag -width Ds\n");
	for (const struct opt *o = rows; o->kind; o++)
		put_option(out, o);
	buf_str(out, ".El\n");
}

static void put_block(struct buf *out, const char *text, size_t len)
{
	buf_str(out, ".Bd -literal\n");
	while (len) {
		size_t line = strcspn(text, "\n");

		line = line < len ? line : len;
		put_literal(out, text, line);
		buf_char(out, '\n');
		text += line;
		len -= line;
		if (len) {
			text++;
			len--;
		}
	}
	buf_str(out, ".Ed\n");
}

static void put_body(struct buf *out, const struct command *c)
{
	put_about(out, c->opt->about);
	put_options(out, c->opt->rows);
	for (const struct command *const *sub = c->subs; sub && *sub; sub++) {
		buf_printf(out, ".Ss sonde %s\n", (*sub)->opt->command);
		put_text(out, (*sub)->opt->about, strcspn((*sub)->opt->about, "\n"));
		end_line(out);
		buf_str(out, ".Pp\n");
		put_synopsis(out, (*sub)->opt, false);
		buf_str(out, ".Pp\n");
		put_body(out, *sub);
	}
}

static void put_examples(struct buf *out, const char *examples)
{
	if (!examples)
		return;
	buf_str(out, ".Sh EXAMPLES\n");
	put_block(out, examples, strlen(examples));
}

static void put_overview(struct buf *out)
{
	put_title(out, "", 1, "what a Linux host's network does, seen from inside the kernel", 61);
	buf_str(out,
		".Sh SYNOPSIS\n.Nm sonde\n.Ar COMMAND\n.Op Ar OPTIONS\n.Op Ar FILTER\n"
		".Sh DESCRIPTION\n.Nm\nshows, captures, filters, guards and traces the network "
		"traffic of a host with eBPF\nprograms that it loads itself.\nIt needs nothing "
		"on the host but the kernel.\n.Pp\nThe commands are:\n"
		".Bl -tag -width completion\n");
	for (const struct command *const *c = commands; *c; c++) {
		buf_printf(out, ".It Cm %s\n", cmd_name(*c));
		put_text(out, (*c)->opt->about, strcspn((*c)->opt->about, "\n"));
		end_line(out);
	}
	buf_str(out, ".El\n.Sh EXIT STATUS\n0: done.\n1: failed, refused, or nothing is "
		     "installed.\n2: a mistake on the command line.\n.Sh SEE ALSO\n");
	for (const struct command *const *c = commands; *c; c++)
		buf_printf(out, ".Xr sonde-%s 1 ,\n", cmd_name(*c));
	buf_str(out, ".Xr sonde-filter 7\n");
}

void help_put_command_man(const struct command *c, struct buf *out)
{
	const char *about;

	if (!c) {
		put_overview(out);
		return;
	}
	about = c->opt->about;
	put_title(out, c->opt->command, 1, about, strcspn(about, "\n"));
	put_synopsis(out, c->opt, true);
	buf_str(out, ".Sh DESCRIPTION\n");
	put_text(out, about, strcspn(about, "\n"));
	buf_str(out, ".\n.Pp\n");
	put_body(out, c);
	put_examples(out, c->opt->examples);
	buf_str(out, ".Sh SEE ALSO\n.Xr sonde 1\n");
}

static bool is_heading(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isupper((unsigned char)line[i]) && !isdigit((unsigned char)line[i]) &&
		    !strchr(" ,-", line[i]))
			return false;
	return len > 1;
}

/* A page is paragraphs, headings in capitals, and lines that are indented: those stay as they are.
 */
void help_put_page_man(const char *name, const char *text, size_t len, struct buf *out)
{
	const char *end = text + len, *about = memchr(text, ':', len);
	size_t line = strcspn(text, "\n");

	put_title(out, name, 7, about ? about + 2 : text,
		  about ? line - (size_t)(about + 2 - text) : line);
	buf_str(out, ".Sh DESCRIPTION\n");
	for (text += line + 1; text < end; text += line + 1) {
		const char *block = text;

		line = strcspn(text, "\n");
		if (is_heading(text, line)) {
			buf_printf(out, ".Sh %.*s\n", (int)line, text);
		} else if (*text == ' ') {
			while (text + line + 1 < end &&
			       (text[line + 1] == ' ' ||
				(text[line + 1] == '\n' && text[line + 2] == ' '))) {
				text += line + 1;
				line = strcspn(text, "\n");
			}
			put_block(out, block, (size_t)(text + line - block));
		} else if (line) {
			put_text(out, text, line);
			end_line(out);
		} else if (text + 1 < end && text[1] != ' ' &&
			   !is_heading(text + 1, strcspn(text + 1, "\n"))) {
			buf_str(out, ".Pp\n");
		}
	}
}
