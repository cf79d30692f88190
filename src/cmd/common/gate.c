/* SPDX-License-Identifier: MIT */
/* First steps of commands that change gates. */
#include "cmd/common/gate.h"
#include <errno.h>
#include "base/err.h"
#include "obj/attach.h"
#include "sys/priv.h"

enum at { AT_ANY, AT_XDP, AT_TC };
const char *const cmd_gate_at[] = { "any", "xdp", "tc", NULL };
const unsigned int cmd_gate_hooks[] = {
	[AT_ANY] = HOOKS_XDP | HOOKS_TC, [AT_XDP] = HOOKS_XDP, [AT_TC] = HOOKS_TC
};

int cmd_gate_begin(const char *what, const char *netns)
{
	char names[64];

	if (*priv_missing(PRIV(CAP_SYS_ADMIN) | PRIV(CAP_NET_ADMIN), names, sizeof(names)))
		return fail(-EPERM, "%s %s: run as root", what, names);
	priv_lift_memlock();
	return cmd_enter_netns(netns);
}

int cmd_gate_link(struct nl *nl, const char *name, struct link *link)
{
	int rc = link_get(nl, name, 0, link);

	return rc ? fail(rc, rc == -ENODEV ? "no interface %s" : "interface %s", name) : 0;
}
