/* SPDX-License-Identifier: MIT */
/* Formats a command's --help from its table of options. */
#include <string.h>
#include "base/buf.h"
#include "base/opt.h"
#include "base/utf8.h"

#define HELP_COLUMNS 80
#define LABEL_MAX    28 /* a longer label has its help on the next line */

const struct opt opt_help_row = {
	.kind = OPT_KIND_FLAG, .letter = 'h', .name = "help", .help = "print this help"
};

static size_t count_columns(const char *s, size_t len)
{
	size_t width = 0;

	while (len) {
		uint32_t cp;
		size_t n = utf8_decode(s, len, &cp);

		width += utf8_width(cp);
		s += n;
		len -= n;
	}
	return width;
}

/* Appends text, wrapped to lines that start at column indent; the current line is at column at. A
 * newline in the text also ends a line. Ends the last line. */
static void add_wrapped(struct buf *b, const char *text, size_t indent, size_t at)
{
	bool fresh = true; /* the current line has no word of the text yet */

	for (size_t len; *text; text += len) {
		size_t width;

		len = strcspn(text, " \n");
		width = count_columns(text, len);
		if (*text == '\n' || (!fresh && at + 1 + width > HELP_COLUMNS)) {
			buf_char(b, '\n');
			at = 0;
			fresh = true;
		}
		if (!len) {
			len = 1;
			continue;
		}
		if (!fresh || at < indent) {
			size_t gap = fresh ? indent - at : 1;

			buf_fill(b, ' ', gap);
			at += gap;
		}
		buf_add(b, text, len);
		at += width;
		fresh = false;
	}
	buf_char(b, '\n');
}

/* Appends a label such as "  -i, --interface IFACE". */
static void add_label(struct buf *b, const struct opt *o)
{
	if (o->letter)
		buf_printf(b, "  -%c%s", o->letter, *o->name ? ", " : "");
	else
		buf_str(b, "      ");
	if (*o->name)
		buf_printf(b, "--%s", o->name);
	if (*o->arg)
		buf_printf(b, " %s", o->arg);
}

static size_t label_width(const struct opt *o)
{
	struct buf label = { 0 };
	size_t width;

	add_label(&label, o);
	width = label.len;
	buf_free(&label);
	return width;
}

/* Appends the row's help, and what follows from its kind. */
static void add_about(struct buf *b, const struct opt *o)
{
	buf_str(b, o->help ? o->help : "");
	if (o->kind == OPT_KIND_LIST)
		buf_str(b, " (repeatable)");
	if (o->kind != OPT_KIND_CHOICE)
		return;
	for (const char *const *c = o->choices; *c; c++)
		buf_printf(b, "%s%s", c == o->choices ? ": " : ", ", *c);
	buf_printf(b, " (default: %s)", *o->choices);
}

static void add_option(struct buf *b, const struct opt *o, size_t indent)
{
	struct buf about = { 0 };
	size_t from = b->len, at;

	add_label(b, o);
	at = b->len - from;
	if (at + 2 > indent) {
		buf_char(b, '\n');
		at = 0;
	}
	add_about(&about, o);
	buf_char(&about, '\0');
	if (!about.nomem)
		add_wrapped(b, about.data, indent, at);
	b->nomem |= about.nomem;
	buf_free(&about);
}

static void add_options(struct buf *b, const struct opt *rows)
{
	size_t indent = label_width(&opt_help_row);

	for (const struct opt *o = rows; o->kind; o++) {
		size_t width = label_width(o);

		if (width > indent && width <= LABEL_MAX)
			indent = width;
	}
	buf_str(b, "\nOptions:\n");
	for (const struct opt *o = rows; o->kind; o++)
		add_option(b, o, indent + 2);
	add_option(b, &opt_help_row, indent + 2);
}

/* Appends the examples indented and never wrapped, so that users can copy them. */
static void add_examples(struct buf *b, const char *lines)
{
	buf_str(b, "\nExamples:\n");
	while (*lines) {
		size_t len = strcspn(lines, "\n");

		buf_fill(b, ' ', len ? 2 : 0);
		buf_add(b, lines, len);
		buf_char(b, '\n');
		lines += len;
		lines += *lines != '\0';
	}
}

void opt_put_entry(struct buf *out, const char *name, const char *about)
{
	buf_printf(out, "  %-10s %.*s\n", name, (int)strcspn(about, "\n"), about);
}

void opt_put_help(const struct opt_spec *spec, struct buf *out)
{
	size_t from = out->len, at;

	buf_printf(out, "Usage: sonde %s", spec->command);
	at = out->len - from;
	if (spec->usage && *spec->usage) {
		buf_char(out, ' ');
		add_wrapped(out, spec->usage, at + 1, at + 1);
	} else {
		buf_char(out, '\n');
	}
	if (spec->about) {
		buf_char(out, '\n');
		add_wrapped(out, spec->about, 0, 0);
	}
	if (spec->rows)
		add_options(out, spec->rows);
	if (spec->examples)
		add_examples(out, spec->examples);
}
