/* SPDX-License-Identifier: MIT */
/* Command lines as typed rows: one table per command drives parsing, checks and --help. */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include "base/buf.h"

/* The values of a repeatable option, in the order given. The strings belong to argv. */
#define OPT_LIST_MAX 64
struct opt_list {
	const char *at[OPT_LIST_MAX];
	unsigned int n;
};

enum opt_kind {
	OPT_KIND_END, /* zero, so that {} ends a table */
	OPT_KIND_FLAG,
	OPT_KIND_SET,
	OPT_KIND_U32,
	OPT_KIND_STR,
	OPT_KIND_LIST,
	OPT_KIND_TIME,
	OPT_KIND_CHOICE,
	OPT_KIND_COUNT,
};

struct opt {
	enum opt_kind kind;
	char letter; /* 0: none */
	/* Arrays, not pointers: each pointer has a relocation, which costs more than most names. */
	char name[24]; /* long name without dashes, "": none */
	char arg[14];  /* the argument's name in help; "": the option takes none */
	const char *help;
	size_t off;                 /* offset of the member in the command's struct */
	uint32_t min, max;          /* OPT_U32: the valid range */
	int value;                  /* OPT_SET: the value to store */
	const char *const *choices; /* OPT_CHOICE: names, NULL at the end; their index is stored */
};

/* The offset of T.m. Does not compile unless the member has type M. */
#define OPT_OFF_(T, m, M)                                                                 \
	(offsetof(T, m) +                                                                 \
	 0 * sizeof(struct {                                                              \
		 _Static_assert(__builtin_types_compatible_p(__typeof__(((T *)0)->m), M), \
				"option's member has another type");                      \
		 int unused;                                                              \
	 }))

/* bool: set to true. */
#define OPT_FLAG(l, n, T, m, h)                                           \
	{                                                                 \
		.kind = OPT_KIND_FLAG, .letter = l, .name = n, .help = h, \
		.off = OPT_OFF_(T, m, bool)                               \
	}
/* int: set to v (a second spelling of one choice, such as --json for -o json). */
#define OPT_SET(l, n, T, m, v, h)                                        \
	{                                                                \
		.kind = OPT_KIND_SET, .letter = l, .name = n, .help = h, \
		.off = OPT_OFF_(T, m, int), .value = v                   \
	}
/* uint32_t: the number of occurrences (-vv). */
#define OPT_COUNT(l, n, T, m, h)                                           \
	{                                                                  \
		.kind = OPT_KIND_COUNT, .letter = l, .name = n, .help = h, \
		.off = OPT_OFF_(T, m, uint32_t)                            \
	}
/* uint32_t in [lo, hi]; decimal, or hexadecimal with 0x; nothing may follow the number. */
#define OPT_U32(l, n, a, T, m, lo, hi, h)                                          \
	{                                                                          \
		.kind = OPT_KIND_U32, .letter = l, .name = n, .arg = a, .help = h, \
		.off = OPT_OFF_(T, m, uint32_t), .min = lo, .max = hi              \
	}
/* const char *; points into argv. */
#define OPT_STR(l, n, a, T, m, h)                                                  \
	{                                                                          \
		.kind = OPT_KIND_STR, .letter = l, .name = n, .arg = a, .help = h, \
		.off = OPT_OFF_(T, m, const char *)                                \
	}
/* struct opt_list; the option may be repeated. */
#define OPT_LIST(l, n, a, T, m, h)                                                  \
	{                                                                           \
		.kind = OPT_KIND_LIST, .letter = l, .name = n, .arg = a, .help = h, \
		.off = OPT_OFF_(T, m, struct opt_list)                              \
	}
/* uint64_t nanoseconds from "2", "0.5", "10ms", "1.5s", "3m", "2h". Units: ns us ms s m h d; the
 * default is seconds. The time must be above 0, at most a year, and whole nanoseconds. */
#define OPT_TIME(l, n, a, T, m, h)                                                  \
	{                                                                           \
		.kind = OPT_KIND_TIME, .letter = l, .name = n, .arg = a, .help = h, \
		.off = OPT_OFF_(T, m, uint64_t)                                     \
	}
/* int: the index of the argument in a NULL-terminated list of names. */
#define OPT_CHOICE(l, n, a, T, m, c, h)                                               \
	{                                                                             \
		.kind = OPT_KIND_CHOICE, .letter = l, .name = n, .arg = a, .help = h, \
		.off = OPT_OFF_(T, m, int), .choices = c                              \
	}

/* Describes a command for the help, the manual page and completion. */
struct opt_spec {
	const char *command; /* "count" */
	const char *usage;   /* the usage after the name: "[OPTIONS] [FILTER]" */
	const char *about; /* a line of at most 60 columns that describes the command; then, after a
			      newline, paragraphs; no newline at the end */
	const struct opt *rows; /* ends with a row of kind OPT_KIND_END; NULL: no options */
	const char *examples;   /* lines after the options, or NULL */
};

/* The row of -h and --help, which precedes every command's own rows. */
extern const struct opt opt_help_row;

/* Parses argv[1..argc-1] (argv[0] is the command) into *into. Options may precede or follow
 * operands; "--" ends them. Accepts -abc, -iX, --name=X and --name X, but no abbreviated long
 * names. *rest and *nrest get the operands in order; argv is reordered in place, as by GNU getopt,
 * so that the operands end at argv's NULL. Returns 0; 1 if --help or -h was given and the help
 * printed to stdout; -errno if it could not be printed; -E_USAGE for a mistake. Reports errors and
 * suggests the nearest option. On failure *into has the values of the options before the
 * mistake. */
int opt_parse(const struct opt_spec *spec, void *into, int argc, char **argv, char ***rest,
	      int *nrest);

/* Appends a command's help: usage, description, options, examples; at most 80 columns. */
void opt_put_help(const struct opt_spec *spec, struct buf *out);
/* Appends an entry of a list of commands: the name and the first line of about. */
void opt_put_entry(struct buf *out, const char *name, const char *about);

/* Returns the name in names (NULL at the end) that is nearest to word; NULL if none is near enough
 * for a typing mistake. */
const char *opt_nearest(const char *word, const char *const *names);

/* Parse a number that is the whole string. Return 0, -EINVAL (not a number) or -ERANGE. Do not
 * report errors. */
int parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *value);
int parse_time(const char *s, uint64_t *ns);

#endif
