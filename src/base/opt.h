/* SPDX-License-Identifier: MIT */
/* Command lines as typed rows: one table a command gives parsing, checks and --help. */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include "base/buf.h"

/* A repeatable option's values, in the order given; the strings are argv's. */
#define OPT_LIST_MAX 64
struct opt_list {
	const char *at[OPT_LIST_MAX];
	unsigned int n;
};

enum opt_kind {
	OPT_KIND_END, /* zero, so that a table ends with {} */
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
	/* Not pointers, which cost more than most names: each has a relocation. */
	char name[24]; /* long name without dashes, "": none */
	char arg[14];  /* the argument's name in help, "": takes none */
	const char *help;
	size_t off;                 /* of the member in the command's struct */
	uint32_t min, max;          /* OPT_U32: the range that is taken */
	int value;                  /* OPT_SET: what is stored */
	const char *const *choices; /* OPT_CHOICE: names, NULL at the end; the index is stored */
};

/* Offset of T.m; does not compile unless the member has type M. */
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
/* int: set to v (a second spelling for one choice, as --json for -o json). */
#define OPT_SET(l, n, T, m, v, h)                                        \
	{                                                                \
		.kind = OPT_KIND_SET, .letter = l, .name = n, .help = h, \
		.off = OPT_OFF_(T, m, int), .value = v                   \
	}
/* uint32_t: how often it was given (-vv). */
#define OPT_COUNT(l, n, T, m, h)                                           \
	{                                                                  \
		.kind = OPT_KIND_COUNT, .letter = l, .name = n, .help = h, \
		.off = OPT_OFF_(T, m, uint32_t)                            \
	}
/* uint32_t in [lo, hi], decimal or 0x hexadecimal, nothing behind it. */
#define OPT_U32(l, n, a, T, m, lo, hi, h)                                          \
	{                                                                          \
		.kind = OPT_KIND_U32, .letter = l, .name = n, .arg = a, .help = h, \
		.off = OPT_OFF_(T, m, uint32_t), .min = lo, .max = hi              \
	}
/* const char *, argv's. */
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
/* uint64_t nanoseconds from "2", "0.5", "10ms", "1.5s", "3m", "2h" (ns us ms s m h d, seconds
 * without one); above 0, at most a year, exact: what is finer than a nanosecond is refused. */
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

/* What the help, the manual page and completion say of a command. */
struct opt_spec {
	const char *command; /* "count" */
	const char *usage;   /* what follows the name: "[OPTIONS] [FILTER]" */
	const char *about;   /* a line of at most 60 columns that says what it does, then, after a
			      * newline, paragraphs; ends without a newline */
	const struct opt *rows; /* ends with a row of kind OPT_KIND_END; NULL: no options */
	const char *examples;   /* lines below the options, or NULL */
};

/* The row of -h and --help, which every command has before its own rows. */
extern const struct opt opt_help_row;

/* Parse argv[1..argc-1] (argv[0] is the command) into *into. Options may stand before or after
 * operands; "--" ends them; -abc, -iX, --name=X and --name X are taken, and a unique prefix of a
 * long name is not. *rest and *nrest get the operands in order (argv is reordered in place, as by
 * GNU getopt: they end at argv's NULL). Returns 0; 1 if --help or -h was asked for and printed to
 * stdout; -errno if it could not be printed; -E_USAGE for a mistake (the nearest option's name is
 * suggested). Reports errors. *into is untouched on failure only as far as it was not reached. */
int opt_parse(const struct opt_spec *spec, void *into, int argc, char **argv, char ***rest,
	      int *nrest);

/* Append a command's help: usage, what it does, options, examples; 80 columns at most. */
void opt_put_help(const struct opt_spec *spec, struct buf *out);
/* Append an entry of a list of commands: the name, and the first line of about. */
void opt_put_entry(struct buf *out, const char *name, const char *about);

/* The name in names (NULL at the end) nearest to word, or NULL if none is near enough to be a slip.
 */
const char *opt_nearest(const char *word, const char *const *names);

/* Pure number parsers: the whole string or nothing. 0 or -EINVAL (not a number), -ERANGE. */
int parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *value);
int parse_time(const char *s, uint64_t *ns);

#endif
