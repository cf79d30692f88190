/* SPDX-License-Identifier: MIT */
/* sonde detach: takes off what sonde installed, and nothing else. */
#include <string.h>
#include "base/err.h"
#include "cmd/common/gate.h"
#include "guard/conns.h"
#include "obj/find.h"
#include "sys/priv.h"

struct detach_opts {
	struct opt_list ifaces;
	const char *netns;
	bool all, force;
};

#define O struct detach_opts
static const struct opt rows[] = {
	OPT_LIST('i', "interface", "IFACE", O, ifaces, "take sonde's programs off this interface"),
	OPT_FLAG('a', "all", O, all, "off every interface"),
	OPT_FLAG('f', "force", O, force,
		 "a running sonde's clsact filters too (if that and its keeper were killed)"),
	OPT_STR('N', "netns", "PATH|PID", O, netns, "interfaces of this network namespace"),
	{ 0 },
};
#undef O

static const struct opt_spec spec = {
	.command = "detach",
	.usage = "-i IFACE... | --all",
	.about = "take off what sonde installed (and leave everybody else's programs alone)\n"
		 "A program that a running sonde holds goes when that process ends.",
	.rows = rows,
};

struct tally {
	bool force;
	unsigned int off, live, failed;
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
		note("%s: %s: %s %s (program %u) is a running sonde's: it goes when that ends",
		     link->name, dir, hook_name(f->hook), prog.info.name, f->prog_id);
		return;
	}
	table = conns_table_id(&prog);
	rc = find_detach(nl, f);
	if (rc && rc != -ENOENT) {
		t->failed++;
		fail_errno(rc, "%s: %s: %s %s (program %u) could not be taken off", link->name, dir,
			   hook_name(f->hook), prog.info.name, f->prog_id);
		return;
	}
	t->off++;
	t->failed += table && conns_stop(table);
	note("%s: %s: %s %s (program %u) is off", link->name, dir, hook_name(f->hook),
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

static int detach_named(struct nl *nl, const struct opt_list *names, struct tally *t)
{
	struct link link;
	int rc = 0;

	for (unsigned int i = 0; i < names->n && !rc; i++) {
		rc = cmd_gate_link(nl, names->at[i], &link);
		if (!rc)
			rc = detach_link(nl, &link, t);
	}
	return rc;
}

static int detach_all(struct nl *nl, struct tally *t)
{
	struct link_list links = { 0 };
	int rc = link_list(nl, &links);

	if (rc)
		fail_errno(rc, "listing the interfaces");
	for (size_t i = 0; i < links.n && !rc; i++)
		rc = detach_link(nl, &links.at[i], t);
	link_list_free(&links);
	return rc;
}

static int detach(const struct detach_opts *o)
{
	struct tally t = { .force = o->force };
	struct nl nl = { 0 };
	int rc = nl_open(&nl, 0);

	if (rc)
		return fail_errno(rc, "route netlink");
	rc = o->all ? detach_all(&nl, &t) : detach_named(&nl, &o->ifaces, &t);
	nl_close(&nl);
	if (conns_sweep() > 0)
		note("connections are no more counted for guards whose interfaces are gone");
	if (!rc && !t.off && !t.live && !t.failed)
		note("nothing of sonde's is installed there");
	return t.failed ? -EIO : rc;
}

static int run(int argc, char **argv)
{
	struct detach_opts o = { 0 };
	char names[64];
	int rc;

	rc = cmd_parse(&spec, &o, argc, argv);
	if (rc)
		return rc > 0 ? 0 : rc;
	if (o.all == (o.ifaces.n > 0))
		return fail_usage("name interfaces with -i, or take --all");
	if (*priv_missing(PRIV(CAP_SYS_ADMIN) | PRIV(CAP_NET_ADMIN), names, sizeof(names)))
		return fail(-EPERM, "finding and detaching programs needs %s: run as root", names);
	rc = cmd_netns(o.netns);
	if (rc)
		return rc;
	return detach(&o);
}

const struct command cmd_detach = { &spec, run };
