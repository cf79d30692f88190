/* SPDX-License-Identifier: MIT */
/* sonde help json: describes every record, from the tables of columns. */
#include <stdio.h>
#include <string.h>
#include "cmd/help/help.h"

static const char intro[] =
	"JSON: the fields of every record\n"
	"\n"
	"With -o json (or --json) a command prints one object per line. \"record\" names\n"
	"its kind. Every field of a kind is present; a value that is not known is null.\n"
	"\n"
	"  time      RFC 3339, UTC, with nanoseconds: "
	"\"2026-11-30T02:11:05.123456789Z\"\n"
	"  seconds   a number, with decimals: durations, never milliseconds\n"
	"  integer   64 bits, unsigned unless marked as signed\n"
	"  number    with at most three decimals\n"
	"  list      an array\n";

static const char *type_name(const struct col *c)
{
	static const char *const names[] = {
		[COL_STR] = "string",
		[COL_U64] = "integer",
		[COL_S64] = "signed integer",
		[COL_F64] = "number",
		[COL_BOOL] = "boolean",
		[COL_TIME] = "time",
		[COL_STRS] = "list of strings",
		[COL_U64S] = "list of integers",
		[COL_TABLE] = "list of objects",
	};

	return c->unit == COL_NS && c->kind != COL_TIME ? "seconds" : names[c->kind];
}

static const char *unit_name(const struct col *c)
{
	switch (c->unit) {
	case COL_RATE:
		return "a second";
	case COL_BYTES:
		return "bytes";
	default:
		return "";
	}
}

static void put_fields(struct buf *out, const struct schema *schema, int indent)
{
	for (size_t i = 0; i < schema->ncols; i++) {
		const struct col *c = &schema->cols[i];
		const char *unit = unit_name(c);

		if (!c->name || !SCHEMA_HAS(schema, i))
			continue;
		buf_printf(out, "%*s%-*s  %s%s%s\n", indent, "", 28 - indent, c->name, type_name(c),
			   *unit ? ", " : "", unit);
		if (c->kind == COL_TABLE)
			put_fields(out, c->rows, indent + 2);
	}
}

static void put_command(struct buf *out, const struct command *c)
{
	for (const struct schema *const *s = c->records; s && *s; s++) {
		buf_printf(out, "\nsonde %s: \"record\": \"%s\"\n", c->opt->command, (*s)->name);
		put_fields(out, *s, 2);
	}
	for (const struct command *const *sub = c->subs; sub && *sub; sub++)
		put_command(out, *sub);
}

void help_put_records(struct buf *out)
{
	buf_str(out, intro);
	for (const struct command *const *c = commands; *c; c++)
		put_command(out, *c);
}
