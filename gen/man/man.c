// SPDX-License-Identifier: MIT
/* man: writes the manual pages in mdoc(7), from the commands' option tables and the text pages of
 * `sonde help`. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/version.h"
#include "cmd/help/help.h"

enum { COLUMNS = 76 };

static size_t get_column(const struct buf *out)
{
	size_t n = 0;

	while (n < out->len && out->data[out->len - 1 - n] != '\n')
		n++;
	return n;
}

static void put_word(struct buf *out, const char *word, size_t len)
{
	if (!get_column(out) && (*word == '.' || *word == '\''))
		buf_str(out, "\\&"); /* otherwise the line is a macro */
	for (size_t i = 0; i < len; i++)
		if (word[i] == '\\')
			buf_str(out, "\\e");
		else
			buf_char(out, word[i]);
}

/* The line must end after a sentence, so that mdoc sets the space between sentences. */
static bool is_sentence_end(const char *word, size_t len)
{
	return len > 2 && strchr(".?!", word[len - 1]) && isalpha((unsigned char)word[len - 2]);
}

/* Appends text, wrapped to lines of at most COLUMNS. */
static void put_text(struct buf *out, const char *text, size_t len)
{
	while (len) {
		size_t blank = strspn(text, " \n"), n;

		blank = blank < len ? blank : len;
		text += blank;
		len -= blank;
		n = strcspn(text, " \n");
		n = n < len ? n : len;
		if (!n)
			break;
		if (get_column(out))
			buf_char(out, get_column(out) + 1 + n > COLUMNS ? '\n' : ' ');
		put_word(out, text, n);
		text += n;
		len -= n;
		if (is_sentence_end(text - n, n) && len)
			buf_char(out, '\n');
	}
}

/* Appends a line of a literal block, where spaces are kept. */
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

/* "guard start" becomes "sonde-guard-start". */
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

/* Appends the paragraphs after the first line, which is in the section NAME. */
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

static void put_choices(struct buf *out, const char *const *choices)
{
	struct buf text = { 0 };

	for (const char *const *c = choices; *c; c++)
		buf_printf(&text, "%s %s", c == choices ? ":" : ",", *c);
	buf_char(out, ':');
	put_text(out, text.data + 1, text.len - 1);
	buf_free(&text);
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
		put_text(out, "(repeatable)", 12);
	if (o->kind == OPT_KIND_CHOICE)
		put_choices(out, o->choices);
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

static int compare_names(const void *a, const void *b)
{
	return strcmp(cmd_name(*(const struct command *const *)a),
		      cmd_name(*(const struct command *const *)b));
}

static void put_see_also(struct buf *out)
{
	const struct command *sorted[32];
	size_t n = 0;

	while (commands[n] && n < ARRAY_LEN(sorted)) {
		sorted[n] = commands[n];
		n++;
	}
	qsort(sorted, n, sizeof(*sorted), compare_names);
	buf_str(out, ".Sh SEE ALSO\n");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, ".Xr sonde-%s 1 ,\n", cmd_name(sorted[i]));
	buf_str(out, ".Xr sonde-filter 7\n");
}

static void put_overview(struct buf *out)
{
	static const char about[] = "what a Linux host's network does, seen from inside the kernel";

	put_title(out, "", 1, about, strlen(about));
	buf_str(out,
		".Sh SYNOPSIS\n.Nm sonde\n.Ar COMMAND\n.Op Ar OPTIONS\n.Op Ar FILTER\n"
		".Sh DESCRIPTION\n.Nm\nshows, captures, filters, guards and traces the network\n"
		"traffic of a host with eBPF programs that it loads itself.\n"
		"It needs nothing on the host but the kernel.\n.Pp\nThe commands are:\n"
		".Bl -tag -width completion\n");
	for (const struct command *const *c = commands; *c; c++) {
		buf_printf(out, ".It Cm %s\n", cmd_name(*c));
		put_text(out, (*c)->opt->about, strcspn((*c)->opt->about, "\n"));
		end_line(out);
	}
	buf_str(out, ".El\n.Sh EXIT STATUS\n0: done.\n1: failed, refused, or nothing is "
		     "installed.\n2: a mistake on the command line.\n");
	put_see_also(out);
}

static void put_command_page(const struct command *c, struct buf *out)
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
	buf_str(out, ".\n");
	if (c->opt->about[strcspn(c->opt->about, "\n")] || c->opt->rows->kind)
		buf_str(out, ".Pp\n");
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

/* A page has paragraphs, headings in capitals, and indented lines, which become literal blocks. */
static void put_topic_page(const char *name, const char *text, size_t len, struct buf *out)
{
	const char *end = text + len, *about = memchr(text, ':', len);
	size_t line = strcspn(text, "\n");

	put_title(out, name, 7, about ? about + 2 : text,
		  about ? line - (size_t)(about + 2 - text) : line);
	buf_str(out, ".Sh DESCRIPTION\n");
	for (text += line + 1; text < end && *text == '\n'; text++)
		continue;
	for (; text < end; text += line + 1) {
		const char *block = text;

		line = strcspn(text, "\n");
		if (is_heading(text, line)) {
			buf_printf(out, ".Sh %.*s\n", (int)line, text);
			while (text + line + 1 < end && text[line + 1] == '\n')
				text++;
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

/* Writes a page's file. Reports errors. */
static int write_page(const char *dir, const char *name, int section, const struct buf *page)
{
	char path[4096];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/sonde%s%s.%d", dir, *name ? "-" : "", name, section);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	rc = fd < 0 ? -errno : buf_write(page, fd);
	if (fd >= 0)
		close(fd);
	if (rc)
		fprintf(stderr, "man: %s: %s\n", path, strerror(-rc));
	return rc;
}

static int write_command(const char *dir, const struct command *c)
{
	struct buf page = { 0 };
	int rc;

	put_command_page(c, &page);
	rc = write_page(dir, c ? c->opt->command : "", 1, &page);
	buf_free(&page);
	return rc;
}

/* "DIR/filter.txt" becomes sonde-filter(7). */
static int write_topic(const char *dir, const char *file)
{
	const char *slash = strrchr(file, '/');
	struct buf text = { 0 }, page = { 0 };
	int fd = open(file, O_RDONLY | O_CLOEXEC), rc = fd < 0 ? -errno : buf_read(&text, fd, 0);
	char name[32];

	snprintf(name, sizeof(name), "%s", slash ? slash + 1 : file);
	name[strcspn(name, ".")] = '\0';
	buf_char(&text, '\0');
	if (!rc)
		put_topic_page(name, text.data, text.len - 1, &page);
	else
		fprintf(stderr, "man: %s: %s\n", file, strerror(-rc));
	if (fd >= 0)
		close(fd);
	if (!rc)
		rc = write_page(dir, name, 7, &page);
	buf_free(&text);
	buf_free(&page);
	return rc;
}

static int write_records(const char *dir)
{
	struct buf text = { 0 }, page = { 0 };
	int rc;

	help_put_records(&text);
	buf_char(&text, '\0');
	put_topic_page("json", text.data, text.len - 1, &page);
	rc = write_page(dir, "json", 7, &page);
	buf_free(&text);
	buf_free(&page);
	return rc;
}

int main(int argc, char **argv)
{
	int rc;

	if (argc < 2) {
		fprintf(stderr, "Usage: man DIR [TOPIC.txt...]\n");
		return 2;
	}
	rc = write_command(argv[1], NULL);
	for (const struct command *const *c = commands; *c && !rc; c++)
		rc = write_command(argv[1], *c);
	for (int i = 2; i < argc && !rc; i++)
		rc = write_topic(argv[1], argv[i]);
	if (!rc)
		rc = write_records(argv[1]);
	return rc ? 1 : 0;
}
