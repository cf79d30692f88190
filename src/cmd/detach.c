/* SPDX-License-Identifier: MIT */
/* sonde detach: removes sonde's programs, and nothing else. */
#include "base/err.h"
#include "cmd/common/gate.h"
#include "guard/conns.h"
#include "obj/find.h"
#include "sys/iface_follower.h"
#include "sys/priv.h"

struct detach_opts {
	struct cmd_common common;
	bool all, force;
};

#define O struct detach_opts
static const struct opt rows[] = {
	OPT_ROW_IFACES(O, "remove sonde's programs from this interface"),
	OPT_ROW_NETNS(O),
	OPT_FLAG('a', "all", O, all, "remove them from every interface"),
	OPT_FLAG(0, "force", O, force,
		 "also remove clsact filters of a live command (needed only if it "
		 "and its keeper process were killed)"),
	OPT_ROW_QUIET(O, "do not print what is removed"),
	{ 0 },
};
#undef O

static const struct opt_spec spec = {
	.command = "detach",
	.usage = "-i IFACE... | --all [OPTIONS]",
	.about = "remove what sonde installed, and nothing else\n"
		 "Programs of a running sonde stay: they are removed when that process ends.",
	.rows = rows,
	.examples = "  sonde detach -i eth0\n"
		    "  sonde detach --all\n",
};

struct tally {
	bool force, quiet;
	unsigned int removed, live, failed;
};

static void detach_one(struct nl *nl, const struct link *link, const struct found *f,
		       struct tally *t)
{
	const char *dir = f->ingress ? "in" : "out";
	struct find_prog prog;
	uint32_t table;
	int rc;

	if (find_prog(f->prog_id, &prog) || !find_is_ours(&prog))
		return;
	if (f->link_id || (find_is_live(f) && !t->force)) {
		t->live++;
		note("%s: %s: %s %s (program %u) is in use by a running sonde and is "
		     "removed when that ends",
		     link->name, dir, hook_name(f->hook), prog.info.name, f->prog_id);
		return;
	}
	table = conns_table_id(&prog);
	rc = find_detach(nl, f);
	if (rc && rc != -ENOENT) {
		t->failed++;
		fail_errno(rc, "%s: %s: %s %s (program %u) could not be removed", link->name, dir,
			   hook_name(f->hook), prog.info.name, f->prog_id);
		return;
	}
	t->removed++;
	t->failed += table && conns_stop(table);
	if (!t->quiet)
		note("%s: %s: %s %s (program %u) removed", link->name, dir, hook_name(f->hook),
		     prog.info.name, f->prog_id);
}

static int detach_link(struct nl *nl, const struct link *link, struct tally *t)
{
	struct found_list list = { 0 };
	int rc = find_attached(nl, link, &list);

	for (size_t i = 0; i < list.n && !rc; i++)
		detach_one(nl, link, &list.at[i], t);
	found_list_free(&list);
	return rc ? fail_errno(rc, "%s: looking for programs", link->name) : 0;
}

/* No names: all interfaces. */
static int detach_links(struct nl *nl, const struct opt_list *names, struct tally *t)
{
	struct link_list links = { 0 };
	int rc = iface_list(nl, names, &links);

	for (size_t i = 0; i < links.n && !rc; i++)
		rc = detach_link(nl, &links.at[i], t);
	link_list_free(&links);
	return rc;
}

static int detach_programs(const struct detach_opts *o)
{
	struct tally t = { .force = o->force, .quiet = o->common.quiet };
	struct nl nl = { 0 };
	int rc = nl_open(&nl, 0);

	if (rc)
		return fail_errno(rc, "route netlink");
	rc = detach_links(&nl, &o->common.ifaces, &t);
	nl_close(&nl);
	if (conns_sweep() > 0)
		note("removed the connection counters of guards whose interfaces are gone");
	if (!rc && !t.removed && !t.live && !t.failed)
		rc = fail(-ENOENT, "sonde has no programs installed there");
	return t.failed ? -EIO : rc;
}

static int run_detach(int argc, char **argv)
{
	struct detach_opts o = { 0 };
	char names[64];
	int rc;

	rc = cmd_parse_options(&spec, &o, &o.common, argc, argv);
	if (rc)
		return rc > 0 ? 0 : rc;
	if (o.all && o.common.ifaces.n)
		return fail_usage("-i and --all cannot be used together");
	if (!o.all && !o.common.ifaces.n)
		return fail_usage("name interfaces with -i, or use --all");
	if (*priv_missing(PRIV(CAP_SYS_ADMIN) | PRIV(CAP_NET_ADMIN), names, sizeof(names)))
		return fail(-EPERM, "finding and detaching programs needs %s: run as root", names);
	rc = cmd_enter_netns(o.common.netns);
	if (rc)
		return rc;
	return detach_programs(&o);
}

const struct command cmd_detach = { &spec, run_detach, NULL, NULL };
