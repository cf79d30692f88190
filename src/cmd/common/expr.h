/* SPDX-License-Identifier: MIT */
/* Parses filter expressions of command lines and shows their mistakes. */
#ifndef CMD_COMMON_EXPR_H
#define CMD_COMMON_EXPR_H

#include "filter/filter.h"

struct cmd_common;

struct cmd_expr_opts {
	const struct filter_names *names; /* NULL: this host's */
	/* Checks that the command supports all that the filter uses. Returns 0, or -EINVAL with
	 * why->msg. NULL: no check. */
	int (*fits)(const struct filter *f, struct diag *why);
	/* Words that may precede the filter, ended by NULL, and a name for them ("kind of event"),
	 * as the filter's first word may be a misspelt one. NULL: none. */
	const char *const *before;
	const char *are;
	/* Restricts the filter to its interfaces, network namespace and process, and looks up
	 * interfaces in that namespace. NULL: no restriction. */
	const struct cmd_common *common;
};

/* Parses text; blank text matches everything, and leaves *f zeroed unless opts->common restricts
 * it. text may be NULL after a failed allocation. opts may be NULL. Returns 0, -E_USAGE or -errno.
 * Reports errors. */
int cmd_expr_parse(struct filter *f, const char *text, const struct cmd_expr_opts *opts);

#endif
