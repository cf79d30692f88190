/* SPDX-License-Identifier: MIT */
/* Any texts in a command's options: its help has all of their words within 80 columns. */
#define _GNU_SOURCE 1
#include "tests/fuzz/fuzz.h"
#include <ctype.h>
#include <sys/mman.h>
#include "base/buf.h"
#include "base/opt.h"
#include "base/utf8.h"

enum { ROWS = 8, COLUMNS = 80 };

static const char *const choices[][4] = { { "text", "json", "prom", NULL },
					  { "one", NULL },
					  { "", "a-long-choice", NULL } };

/* Help texts come from the source code: printable, some of it not ASCII. */
static char *make_text(struct feed *f, bool lines)
{
	static const char *const far[] = { "\xc3\xa9", "\xe7\xb6\xb2", "e\xcc\x81",
					   "\xf0\x9f\x98\x80" };
	size_t len = feed_u8(f);
	struct buf b = { 0 };

	if (len > f->left)
		len = f->left;
	while (len--) {
		uint8_t c = feed_u8(f);

		if (c >= 0xf0)
			buf_str(&b, far[c % 4]);
		else if (c == '\n' && lines)
			buf_char(&b, '\n');
		else
			buf_char(&b, (char)(' ' + c % 95));
	}
	buf_char(&b, '\0');
	b.data = realloc(b.data, b.len); /* no byte after the text */
	MUST(!b.nomem && b.data);
	return b.data;
}

/* Names are ASCII without spaces and not empty: their length is their width. */
static char *make_word(struct feed *f)
{
	char *s = make_text(f, false);

	if (!*s) {
		free(s);
		s = strdup("N");
		MUST(s);
	}
	for (char *c = s; *c; c++)
		if (!isalnum((unsigned char)*c) || !isascii((unsigned char)*c))
			*c = '-';
	return s;
}

/* Cuts the word to the room in a row. */
static void copy_word(struct feed *f, char *to, size_t len)
{
	char *s = make_word(f);

	snprintf(to, len, "%s", s);
	free(s);
}

static void make_row(struct feed *f, struct opt *o)
{
	static const enum opt_kind kinds[] = { OPT_KIND_FLAG, OPT_KIND_STR, OPT_KIND_LIST,
					       OPT_KIND_CHOICE };
	uint8_t with = feed_u8(f);

	*o = (struct opt){ .kind = kinds[with & 3], .choices = choices[(with >> 2) % 3] };
	if (with & 0x20)
		o->letter = 'x';
	if (with & 0x40 || !o->letter)
		copy_word(f, o->name, sizeof(o->name));
	if (o->kind != OPT_KIND_FLAG)
		copy_word(f, o->arg, sizeof(o->arg));
	if (with & 0x80)
		o->help = make_text(f, true);
}

static void free_row(const struct opt *o)
{
	free((void *)(uintptr_t)o->help);
}

/* The row's words, separated by a space. */
static void want_row(struct buf *b, const struct opt *o)
{
	if (o->letter)
		buf_printf(b, " -%c%s", o->letter, *o->name ? "," : "");
	if (*o->name)
		buf_printf(b, " --%s", o->name);
	buf_printf(b, " %s %s", o->arg, o->help ? o->help : "");
	if (o->kind == OPT_KIND_LIST)
		buf_str(b, " (repeatable)");
	if (o->kind != OPT_KIND_CHOICE)
		return;
	for (size_t i = 0; o->choices[i]; i++)
		buf_printf(b, "%s%s", i ? ", " : ": ", o->choices[i]);
	buf_printf(b, " (default: %s)", o->choices[0]);
}

static void want_help(struct buf *b, const struct opt_spec *spec)
{
	buf_printf(b, "Usage: sonde %s %s\n%s", spec->command, spec->usage ? spec->usage : "",
		   spec->about ? spec->about : "");
	buf_str(b, "\nOptions:");
	for (const struct opt *o = spec->rows; o->kind; o++)
		want_row(b, o);
	want_row(b, &opt_help_row);
	if (spec->examples)
		buf_printf(b, "\nExamples: %s", spec->examples);
	buf_char(b, '\0');
	MUST(!b->nomem);
}

/* Compares words and ignores the space between them. */
static void check_words(const char *got, const char *wanted)
{
	static const char room[] = " \n";

	got += strspn(got, room);
	wanted += strspn(wanted, room);
	while (*got || *wanted) {
		size_t len = strcspn(got, room);

		MUST(len == strcspn(wanted, room) && !memcmp(got, wanted, len));
		got += len + strspn(got + len, room);
		wanted += len + strspn(wanted + len, room);
	}
}

static size_t text_width(const char *s, size_t len)
{
	size_t sum = 0;

	for (size_t at = 0; at < len;) {
		uint32_t cp;

		at += utf8_decode(s + at, len - at, &cp);
		sum += utf8_width(cp);
	}
	return sum;
}

/* Returns the bytes before the last word. Only a line with nothing but indent, a label or "Usage:"
 * there may be too long. */
static size_t before_word(const char *line, size_t len)
{
	size_t at = len;

	while (at && line[at - 1] != ' ')
		at--;
	while (at && line[at - 1] == ' ')
		at--;
	return at;
}

static void check_lines(const char *got, bool examples)
{
	bool free_form = false;

	for (size_t len; *got; got += len + 1) {
		len = strcspn(got, "\n");
		MUST(got[len] == '\n');
		free_form = free_form || (examples && !strncmp(got, "Examples:", len));
		if (free_form)
			continue;
		MUST(!len || got[len - 1] != ' ' || !strncmp(got, "Usage: ", 7));
		if (text_width(got, len) > COLUMNS) {
			size_t first = strspn(got, " "), head = before_word(got, len);

			MUST(head <= first || got[first] == '-' || !strncmp(got, "Usage: ", 7));
		}
	}
}

static void check_help(const struct opt_spec *spec)
{
	struct buf got = { 0 }, wanted = { 0 };

	opt_put_help(spec, &got);
	buf_char(&got, '\0');
	MUST(!got.nomem);
	want_help(&wanted, spec);
	check_words(got.data, wanted.data);
	check_lines(got.data, spec->examples != NULL);
	buf_free(&got);
	buf_free(&wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct opt rows[ROWS + 1] = { { 0 } };
	struct feed f = { data, size };
	uint8_t with = feed_u8(&f);
	struct opt_spec spec = { .command = "fuzz", .rows = rows };

	if (with & 1)
		spec.usage = make_text(&f, false);
	if (with & 2)
		spec.about = make_text(&f, true);
	if (with & 4)
		spec.examples = make_text(&f, true);
	for (int i = 0; i < ROWS && f.left; i++)
		make_row(&f, &rows[i]);
	check_help(&spec);
	for (struct opt *o = rows; o->kind; o++)
		free_row(o);
	free((void *)(uintptr_t)spec.usage);
	free((void *)(uintptr_t)spec.about);
	free((void *)(uintptr_t)spec.examples);
	return 0;
}
