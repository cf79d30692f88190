/* SPDX-License-Identifier: MIT */
/* Shows mistakes below the text as the user typed it. */
#include "cmd/common/expr.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "base/opt.h"
#include "cmd/common/cmd.h"
#include "filter/restrict.h"
#include "resolve/names.h"
#include "sys/netns.h"
#include "sys/pidfd.h"

enum { WORD = 64 };

static int fail_mistake(const char *text, const struct diag *diag, const struct cmd_expr_opts *o)
{
	const char *near;
	char word[WORD];

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, " \t"), text);
	near = o->before && !diag->pos ? opt_nearest(word, o->before) : NULL;
	if (near)
		return fail_usage("%s is neither a %s nor a filter; did you mean %s?", word, o->are,
				  near);
	return cmd_mistake("filter", text, diag) ? -E_USAGE : 0;
}

static int parse_text(struct filter *f, const char *text, const struct filter_names *names,
		      const struct cmd_expr_opts *o)
{
	struct diag diag = { 0 };
	int rc = filter_parse(f, text, names, &diag);

	if (rc == -EINVAL)
		return fail_mistake(text, &diag, o);
	if (rc)
		return fail_errno(rc, "filter");
	return o->fits && o->fits(f, &diag) ? fail_usage("filter: '%s' %s", text, diag.msg) : 0;
}

static int find_ifaces(const struct filter_names *names, const struct cmd_common *common,
		       uint32_t *ifindexes)
{
	struct diag diag = { 0 };

	for (unsigned int i = 0; i < common->ifaces.n; i++) {
		const char *name = common->ifaces.at[i];
		int rc = names->iface(names->arg, name, &ifindexes[i], &diag);

		if (rc && *diag.msg)
			return fail(rc, "%s", diag.msg);
		if (rc)
			return fail(rc, "no interface %s%s%s", name,
				    common->netns ? " in network namespace " : "",
				    common->netns ? common->netns : "");
	}
	return 0;
}

/* An interface's number is unique only within its namespace. */
static int find_netns(const struct cmd_common *common, uint32_t *inode)
{
	int rc = 0;

	if (common->netns)
		rc = netns_inode(common->netns, inode);
	else if (common->ifaces.n)
		*inode = netns_current_inode();
	return rc ? fail_errno(rc, "network namespace %s", common->netns) : 0;
}

static int check_process(uint32_t pid)
{
	int fd = cmd_open_process(pid);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int restrict_filter(struct filter *f, const struct filter_names *names,
			   const struct cmd_common *common)
{
	uint32_t ifindexes[OPT_LIST_MAX];
	struct filter_restriction r = { .ifindexes = ifindexes,
					.nifaces = common->ifaces.n,
					.pid = common->pid };
	int rc;

	if (r.pid && !pidfd_is_initial_namespace())
		return fail(
			-EINVAL,
			"-p does not work in a PID namespace: filter by comm, cgroup or container");
	rc = r.pid ? check_process(r.pid) : 0;
	if (!rc)
		rc = find_netns(common, &r.netns);
	if (!rc)
		rc = find_ifaces(names, common, ifindexes);
	if (rc)
		return rc;
	rc = filter_restrict(f, &r);
	return rc ? fail_errno(rc, "filter") : 0;
}

int cmd_expr_parse(struct filter *f, const char *text, const struct cmd_expr_opts *opts)
{
	const struct cmd_expr_opts o = opts ? *opts : (struct cmd_expr_opts){ 0 };
	struct filter_names names = resolve_names_in(o.common ? o.common->netns : NULL);
	int rc = 0;

	if (!text)
		return fail_errno(-ENOMEM, "filter");
	if (o.names)
		names = *o.names;
	if (text[strspn(text, " \t")])
		rc = parse_text(f, text, &names, &o);
	if (!rc && o.common)
		rc = restrict_filter(f, &names, o.common);
	return rc;
}
