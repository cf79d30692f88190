/* SPDX-License-Identifier: MIT */
/* Filter expressions on a command line: parsed, and their mistakes shown. */
#ifndef CMD_COMMON_EXPR_H
#define CMD_COMMON_EXPR_H

#include "filter/filter.h"

struct cmd_expr_opts {
	const struct filter_names *names; /* NULL: this host's */
	/* Whether it is about what the command knows: 0, or -EINVAL with why->msg. NULL: it is. */
	int (*fits)(const struct filter *f, struct diag *why);
	/* Words that may stand in front of it, NULL behind the last, and what they are ("kind of
	 * event"): a filter's first word may be one that was mistyped. NULL: there are none. */
	const char *const *before;
	const char *are;
};

/* text: NULL: there was no memory for it; of blanks only: everything, and *f is untouched. opts may
 * be NULL. 0, or -E_USAGE or -errno, said. */
int cmd_expr_parse(struct filter *f, const char *text, const struct cmd_expr_opts *opts);

#endif
