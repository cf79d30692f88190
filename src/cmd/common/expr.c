/* SPDX-License-Identifier: MIT */
/* What is wrong is shown below the text as it was typed. */
#include "cmd/common/expr.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/err.h"
#include "base/opt.h"
#include "cmd/common/cmd.h"
#include "resolve/names.h"

enum { WORD = 64 };

static int mistake(const char *text, const struct diag *diag, const struct cmd_expr_opts *o)
{
	const char *near;
	char word[WORD];

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, " \t"), text);
	near = o->before && !diag->pos ? opt_nearest(word, o->before) : NULL;
	if (near)
		return fail_usage("%s is no %s, and no filter; did you mean %s?", word, o->are,
				  near);
	return cmd_mistake("filter", text, diag) ? -E_USAGE : 0;
}

int cmd_expr_parse(struct filter *f, const char *text, const struct cmd_expr_opts *opts)
{
	const struct cmd_expr_opts o = opts ? *opts : (struct cmd_expr_opts){ 0 };
	struct diag diag = { 0 };
	int rc;

	if (text && !text[strspn(text, " \t")])
		return 0;
	rc = text ? filter_parse(f, text, o.names ? o.names : &resolve_names, &diag) : -ENOMEM;
	if (rc == -EINVAL)
		return mistake(text, &diag, &o);
	if (rc)
		return fail_errno(rc, "filter");
	return o.fits && o.fits(f, &diag) ? fail_usage("filter: '%s' %s", text, diag.msg) : 0;
}
