/* SPDX-License-Identifier: MIT */
#include "gate/xdp.h"
#include <errno.h>
#include "base/err.h"

int gate_find_xdp(struct nl *nl, int ifindex, struct found *xdp, struct find_prog *prog)
{
	struct found_list list = { 0 };
	struct link now;
	int rc = link_get(nl, NULL, ifindex, &now);

	*prog = (struct find_prog){ 0 };
	if (!rc)
		rc = find_attached(nl, &now, &list);
	if (!rc && (!list.n || !hook_is_xdp(list.at[0].hook)))
		rc = -ENOENT;
	if (!rc) {
		*xdp = list.at[0];
		if (find_prog(xdp->prog_id, prog))
			*prog = (struct find_prog){ 0 };
	}
	found_list_free(&list);
	return rc;
}

int gate_fail_xdp_busy(const char *iface, const struct found *xdp, const struct find_prog *prog,
		       int rc)
{
	if (!find_is_ours(prog))
		return fail(rc, "%s: another XDP program is attached (%s, id %u): use --at tc",
			    iface, *prog->info.name ? prog->info.name : "no name", xdp->prog_id);
	if (find_is_live(xdp))
		return fail(-EEXIST,
			    "%s: a running sonde (program %u) uses XDP: stop it, or use --at tc",
			    iface, xdp->prog_id);
	return fail(
		-EEXIST,
		"%s: a program of another sonde is installed at XDP (%s, id %u): remove all with "
		"sonde detach -i %s, or use --at tc",
		iface, prog->info.name, xdp->prog_id, iface);
}
